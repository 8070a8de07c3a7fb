import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const ME = '/api/v1/auth/me';

test('me is the account; names are changed, kept and removed one by one', async () => {
  const { body } = await app.signIn({ email: 'me@example.com' }, { first_name: 'Ada' });
  const token = body.access_token as string;
  const read = await app.get(ME, { token });
  assert.equal(read.status, 200);
  assert.deepEqual(read.body.user, body.user);

  app.clock.advance(30);
  const changed = await app.request('PATCH', ME, { last_name: 'Löve', username: 'ada.l' }, { token });
  assert.equal(changed.status, 200);
  assert.equal(changed.body.user.first_name, 'Ada');
  assert.equal(changed.body.user.last_name, 'Löve');
  assert.equal(changed.body.user.username, 'ada.l');
  assert.equal(changed.body.user.created_at, body.user.created_at);
  assert.equal(changed.body.user.updated_at, app.clock.now().toISOString());

  const removed = await app.request('PATCH', ME, { first_name: null }, { token });
  assert.equal(removed.body.user.first_name, null);
  assert.equal(removed.body.user.username, 'ada.l');

  const untouched = await app.request('PATCH', ME, {}, { token });
  assert.deepEqual(untouched.body.user, removed.body.user);
  const rows = await app.databases.control.sql`
    select data from audit_events where action = 'user.updated' and subject = ${`user:${body.user.id}`} order by id`;
  assert.deepEqual(
    rows.map((row) => row['data'].fields),
    [['last_name', 'username'], ['first_name']],
  );
});

test('a username is taken once, whatever its case, and only within its tenant', async () => {
  const first = (await app.signIn({ email: 'first@example.com' }, { username: 'Taken' })).body;
  const second = (await app.signIn({ email: 'second@example.com' })).body;
  const conflict = await app.request('PATCH', ME, { username: 'tAKEN' }, { token: second.access_token });
  assert.equal(conflict.status, 400);
  assert.equal(conflict.body.error, 'INVALID_REQUEST');
  assert.equal(conflict.body.issues[0].path, '/username');
  const kept = await app.request('PATCH', ME, { username: 'taken' }, { token: first.access_token });
  assert.equal(kept.status, 200, 'its owner may rewrite it');
  const elsewhere = (await app.signIn({ phone: '+14155550501' })).body;
  const same = await app.request('PATCH', ME, { username: 'taken' }, { token: elsewhere.access_token });
  assert.equal(same.status, 200);
});

test('what decides about rights cannot be changed here', async () => {
  const { body } = await app.signIn({ email: 'rights@example.com' });
  const token = body.access_token as string;
  for (const change of [
    { role: 'admin' },
    { is_verified: true },
    { is_disabled: false },
    { id: 'x' },
    { email: 'a@example.com' },
    { tenant_id: 'x' },
    { first_name: 'A', epoch: 5 },
  ]) {
    const answer = await app.request('PATCH', ME, change, { token });
    assert.equal(answer.status, 400, JSON.stringify(change));
  }
  assert.deepEqual((await app.get(ME, { token })).body.user, body.user);
});

test('an account that was closed is told that its session has ended', async () => {
  const { body } = await app.signIn({ email: 'gone@example.com' });
  await app.databases.control.sql`update users set is_disabled = true where id = ${body.user.id}`;
  for (const answer of [
    await app.get(ME, { token: body.access_token }),
    await app.request('PATCH', ME, { first_name: 'X' }, { token: body.access_token }),
  ]) {
    assert.equal(answer.body.error, 'SESSION_ENDED');
  }
  const refresh = await app.post('/api/v1/auth/refresh', { refresh_token: body.refresh_token });
  assert.equal(refresh.body.error, 'ACCOUNT_DISABLED');
  const [row] = await app.databases.control.sql`select first_name from users where id = ${body.user.id}`;
  assert.equal(row?.['first_name'], null);
});
