import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce } from './at-once.ts';
import { newEmail, start, verifyPath } from './started.ts';

const ROUNDS = Number(process.env['FIRSTPROOF_RACE_ROUNDS'] ?? 10);

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp({ tenants: { default: { sessions: { sharing: 'per_user' } } } });
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

const alive = async (server: TestApp, token: string) =>
  (await server.get('/api/v1/auth/session', { token })).status === 200;

async function counted(email: string) {
  const [row] = await app.databases.control.sql`
    select u.live_sessions, u.is_active, (select count(*)::int from sessions s
      where s.user_id = u.id and s.revoked_at is null and s.shared) as live
    from users u join identities i on i.user_id = u.id where i.value = ${email}`;
  return { ...row };
}

test(`C2 two devices that sign in at once share one session, the first time as well, ${ROUNDS} rounds`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const email = newEmail();
    const first = await start(app, email);
    app.clock.advance(61);
    const second = await start(app, email);
    const answers = await atOnce(
      [first, second].map(({ handle, code }, index) => ({
        app: index === 0 ? app : replica,
        path: verifyPath,
        body: { verification_id: handle, code },
      })),
    );
    const signedIn = answers.filter(({ status }) => status < 300);
    assert.ok(signedIn.length >= 1, JSON.stringify(answers));
    assert.equal(new Set(signedIn.map(({ body }) => body.access_token)).size, 1);
    assert.ok(answers.every(({ status }) => status !== 500));
    assert.deepEqual(await counted(email), { live_sessions: 1, is_active: true, live: 1 });
  }
});

test(`C2 a sign-in that joins and a sign-out at once: the token lives or is over, and the account says the same, ${ROUNDS} rounds`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const email = newEmail();
    const first = await start(app, email);
    const made = await app.post(verifyPath, { verification_id: first.handle, code: first.code });
    app.clock.advance(61);
    const second = await start(app, email);
    const leaving = app.post('/api/v1/auth/logout', { scope: 'all' }, { token: made.body.access_token });
    const joining = replica.post(verifyPath, { verification_id: second.handle, code: second.code });
    const [left, joined] = await Promise.all([leaving, joining]);
    assert.equal(left.status, 200);
    assert.equal(joined.status, 200, JSON.stringify(joined.body));
    assert.equal(await alive(app, made.body.access_token), false, 'whoever signed out stays out');
    const fresh = joined.body.access_token !== made.body.access_token;
    for (const server of [app, replica]) assert.equal(await alive(server, joined.body.access_token), fresh);
    const live = fresh ? 1 : 0;
    assert.deepEqual(await counted(email), { live_sessions: live, is_active: fresh, live });
  }
});
