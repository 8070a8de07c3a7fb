import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsChange, helps } from './step-up-policy.ts';

test('S32 a code allows every change, a password all but a change of address', () => {
  for (const method of ['phone', 'email', 'telegram'] as const) {
    for (const change of ['address', 'password', 'sessions', 'username'] as const) {
      assert.equal(allowsChange(change, 'user', [method]), true);
    }
  }
  assert.equal(allowsChange('address', 'user', ['password']), false);
  assert.equal(allowsChange('sessions', 'user', ['password']), true);
  assert.equal(allowsChange('sessions', 'user', []), false);
});

test('S32 an administrator needs more than a mailbox', () => {
  assert.equal(allowsChange('sessions', 'admin', ['email']), false);
  assert.equal(allowsChange('sessions', 'admin', ['password']), false);
  assert.equal(allowsChange('address', 'admin', ['email', 'password']), true);
  assert.equal(allowsChange('address', 'admin', ['phone']), true);
});

test('only ways that lead on are offered', () => {
  assert.equal(helps('address', 'user', 'password', [], ['email', 'password']), false);
  assert.equal(helps('address', 'user', 'email', [], ['email']), true);
  assert.equal(helps('sessions', 'admin', 'email', [], ['email']), false);
  assert.equal(helps('sessions', 'admin', 'email', [], ['email', 'password']), true);
  assert.equal(helps('sessions', 'admin', 'password', ['email'], ['email', 'password']), true);
  assert.equal(helps('sessions', 'admin', 'email', ['email'], ['email', 'password']), false);
});
