import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDatabaseUnavailable, isRolledBack } from './database.ts';

const fault = (code: string | undefined, severity?: string): Error =>
  Object.assign(new Error('x'), { code, severity });

test('only what PostgreSQL itself refused or cancelled is known to have left nothing behind', () => {
  for (const code of ['57014', '55P03', '40P01', '40001', '21000', '23505', '22P02'])
    assert.ok(isRolledBack(fault(code, 'ERROR')), code);
  for (const [code, severity] of [
    ['08P01', 'ERROR'],
    ['08006', 'ERROR'],
    ['57P01', 'FATAL'],
    ['57P05', 'FATAL'],
    ['53300', 'FATAL'],
    ['ECONNRESET', undefined],
    ['EHOSTUNREACH', undefined],
    ['CONNECTION_CLOSED', undefined],
    [undefined, undefined],
  ] as const)
    assert.ok(!isRolledBack(fault(code, severity)), String(code));
  for (const nothing of [undefined, null, 'text', new TypeError('not readable')])
    assert.ok(!isRolledBack(nothing));
});

test('a pooler that lost its server, and a network that is down, are a database that is away', () => {
  for (const code of ['08P01', '08007', '57P05', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'EPROTO'])
    assert.ok(isDatabaseUnavailable(fault(code)), code);
  for (const code of ['23505', '42P01', undefined]) assert.ok(!isDatabaseUnavailable(fault(code)), code);
});
