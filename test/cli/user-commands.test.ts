import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newCaller } from '../race/started.ts';
import { createBesideServer } from './beside-server.ts';
import type { Ran } from './run-cli.ts';

const beside = await createBesideServer({ start: new Date() });
const { app } = beside;
after(beside.close);
const cli = (words: readonly string[]): Promise<Ran> => beside.cli(['user', ...words]);

test('user show tells on one screen what keeps somebody out; list finds them, and says what to do where there is nobody', async () => {
  const phone = '+998901112233';
  const from = newCaller();
  const agent = {
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  };
  const made = await app.signIn(
    { phone },
    { first_name: 'Nodira', last_name: 'Karimova' },
    { from, headers: agent },
  );
  const token = made.body.access_token as string;
  const id = made.body.user.id as string;
  const email = 'nodira@example.com';
  const sent = await app.post('/api/v1/auth/identities', { email }, { token, from });
  const linked = { verification_id: sent.body.verification_id, code: await app.code(email) };
  assert.equal((await app.post('/api/v1/auth/verify-code', linked, { token, from })).status, 200);
  await app.app.worker.dispatch();
  const sql = app.databases.of('uz').sql;
  await sql`update address_budgets set strangers_in_a_row = 20 where value = ${phone}`;
  assert.match((await cli(['show', phone])).stdout, /guessed at: a challenge is asked/);
  await sql`update address_budgets set failures_in_a_row = 100, closed_at = now() where value = ${phone}`;

  // Without a tenant every one is looked in: the market has it.
  const shown = await cli(['show', '+998 90 111-22-33']);
  assert.equal(shown.code, 0, shown.stderr);
  for (const expected of [
    /Nodira Karimova: signed in/,
    /nodira@example\.com/,
    /CLOSED since/,
    /Firefox/,
    /sign_in_code +sms +(sent|delivered)/,
    /user\.signed_in/,
    /firstproof user reopen \+998901112233 --tenant uz/,
  ]) {
    assert.match(shown.stdout, expected);
  }
  const code = await app.code(phone);
  assert.ok(!shown.stdout.includes(code) && !shown.stdout.includes(token));
  assert.ok(
    shown.stdout.split('\n').every((line) => line.length <= 160),
    'it fits a terminal',
  );
  const listed = await cli(['list', '--tenant', 'uz', '--search', 'nod']);
  assert.match(listed.stdout, new RegExp(`${id} +Nodira Karimova`));
  assert.match(
    (await cli(['list', '--tenant', 'us'])).stdout,
    /no accounts yet.*user import\nOf others: --tenant .*\buz\b/,
  );
  const nobody = await cli(['show', '+998901119999']);
  assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
  assert.match(nobody.stderr, /firstproof user list/);
});

test('user sessions and disable: the running server knows at once', async () => {
  const phone = '+998901112244';
  const made = await app.signIn({ phone }, { first_name: 'Otabek' }, { from: newCaller() });
  const token = made.body.access_token as string;
  const id = made.body.user.id as string;
  assert.equal((await cli(['sessions', id, '--end'])).stdout, 'Sessions ended: 1.\n');
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 401, 'the running server knows');
  assert.match((await cli(['disable', phone])).stdout, /is closed/);
});

test('user export and erase: a copy first, a clear question, and a trail that stays whole', async () => {
  const phone = '+998901112255';
  await app.signIn({ phone }, { first_name: 'Otabek' }, { from: newCaller() });
  const exported = JSON.parse((await cli(['export', phone])).stdout);
  assert.equal(exported.user.first_name, 'Otabek');
  assert.ok(exported.events.length >= 3);
  const asked = await cli(['erase', phone]);
  assert.deepEqual([asked.code, asked.stdout], [2, '']);
  assert.match(asked.stderr, /user export .*\n.*--yes/);
  assert.match((await cli(['erase', phone, '--yes'])).stdout, /is gone/);
  const verified = await beside.cli(['audit', 'verify', '--tenant', 'uz']);
  assert.equal(verified.code, 0, verified.stdout);
});

test('an account that several tenants have is asked about', async () => {
  const email = 'twice@example.com';
  for (const tenant of ['default', 'us']) {
    await app.signIn({ email }, {}, { from: newCaller(), headers: { 'x-tenant': tenant } });
  }
  const asked = await cli(['show', email]);
  assert.equal(asked.code, 1);
  assert.match(asked.stderr, /Several accounts/);
  assert.match(asked.stderr, /default .*\n.*us|us .*\n.*default/);
});
