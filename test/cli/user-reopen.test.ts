import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createBesideServer } from './beside-server.ts';
import type { Ran } from './run-cli.ts';

const beside = await createBesideServer({ start: new Date() });
const { app } = beside;
after(beside.close);
const reopen = (...words: string[]): Promise<Ran> => beside.cli(['user', 'reopen', ...words]);

test('an operator opens a closed address, in the database of its market, and it is recorded', async () => {
  const phone = '+14155557001';
  await app.signIn({ phone });
  const { sql } = app.databases.of('us');
  await sql`update address_budgets set failures_in_a_row = 100, closed_at = now() where value = ${phone}`;
  app.clock.advance(61);
  const send = () => app.post('/api/v1/auth/send-verification', { phone });
  assert.equal((await send()).body.next_action, 'USE_ANOTHER_WAY');

  assert.match((await reopen(phone, '--tenant', 'default')).stdout, /was not closed/);
  const opened = await reopen('+1 (415) 555-7001');
  assert.equal(opened.stdout, '+1 (415) 555-7001 is open again.\n', opened.stderr);
  assert.equal(opened.code, 0);
  assert.equal((await send()).status, 200);
  const events = await sql`select actor from audit_events where action = 'address.reopened'`;
  assert.deepEqual([...events], [{ actor: 'system' }]);

  const again = await reopen(phone, '--tenant', 'us', '--json');
  assert.deepEqual(JSON.parse(again.stdout), []);
});

test('what is no address, or no tenant, is told', async () => {
  const nonsense = await reopen('somebody');
  assert.notEqual(nonsense.code, 0);
  assert.match(nonsense.stderr, /"somebody" is no address\..*e-mail address/);
  assert.notEqual((await reopen('ada@example.com', '--tenant', 'nobody')).code, 0);
});
