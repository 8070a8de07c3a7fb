import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const DAY = 86_400;
let counter = 0;
const signIn = async (style: 'jwt' | 'opaque', role = 'user') => {
  const email = `limits-${++counter}@example.com`;
  const first = await app.signIn({ email }, {}, { from: newCaller() });
  if (role === 'user' && style === 'jwt') return first.body;
  await app.databases.control.sql`update users set role = ${role} where id = ${first.body.user.id}`;
  return (await app.signIn({ email }, { style }, { from: newCaller() })).body;
};
const refresh = (refresh_token: string) => app.post('/api/v1/auth/refresh', { refresh_token });
const check = async (token: string) => (await app.get('/api/v1/auth/session', { token })).status;

test('S37 a session lives thirty days to the second, however often it is refreshed', async () => {
  const { session, ...signedIn } = await signIn('jwt');
  let token = signedIn.refresh_token;
  for (let day = 0; day < 29; day++) {
    app.clock.advance(DAY);
    const next = await refresh(token);
    assert.equal(next.status, 200);
    token = next.body.refresh_token;
  }
  app.clock.advance(DAY - 1);
  const last = await refresh(token);
  assert.deepEqual([last.status, last.body.expires_in], [200, 1], 'a second before the end, for a second');
  app.clock.advance(1);
  assert.equal((await refresh(last.body.refresh_token)).status, 401);
  assert.equal(await check(last.body.access_token), 401);
  await app.app.worker.sweep();
  const [row] = await app.databases.control.sql`select revoke_reason from sessions where id = ${session.id}`;
  assert.equal(row?.['revoke_reason'], 'expired');
});

test('S37 an administrator signs in again after a day, whatever the refreshing', async () => {
  const signedIn = await signIn('jwt', 'admin');
  let token = signedIn.refresh_token;
  for (let used = 0; used < DAY - 3600; used += 3600) {
    app.clock.advance(3600);
    const next = await refresh(token);
    assert.equal(next.status, 200, `after ${used + 3600} s`);
    token = next.body.refresh_token;
  }
  app.clock.advance(3599);
  const last = await refresh(token);
  assert.deepEqual([last.status, last.body.expires_in], [200, 1]);
  app.clock.advance(1);
  assert.equal((await refresh(last.body.refresh_token)).status, 401);
});

test('S37 an hour without use ends an administrator, to the second, and nobody else; the database says so, too', async () => {
  const jwt = await signIn('jwt', 'admin');
  const opaque = await signIn('opaque', 'admin');
  const person = await signIn('opaque');
  app.clock.advance(3599);
  assert.equal(await check(opaque.access_token), 200);
  await app.app.worker.sweep();
  const again = await refresh(jwt.refresh_token);
  assert.equal(again.status, 200);
  app.clock.advance(3601);
  assert.equal((await refresh(again.body.refresh_token)).status, 401);
  assert.equal(await check(opaque.access_token), 401);
  assert.equal(await check(person.access_token), 200);
  app.clock.advance(90);
  await app.app.worker.sweep();
  const rows = await app.databases.control.sql`
    select s.revoke_reason, u.is_active from sessions s join users u on u.id = s.user_id
    where s.id in (${jwt.session.id}, ${opaque.session.id}, ${person.session.id}) order by s.id`;
  assert.deepEqual(
    rows.map((row) => [row['revoke_reason'], row['is_active']]),
    [
      ['idle', false],
      ['idle', false],
      [null, true],
    ],
  );
});
