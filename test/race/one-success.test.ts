import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, type RacingAnswer, tally } from './at-once.ts';
import { newEmail, start, verifyPath } from './started.ts';

const ROUNDS = Number(process.env['FIRSTPROOF_RACE_ROUNDS'] ?? 20);

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp();
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

interface Written {
  identities: number;
  users: number;
  sessions: number;
  live_sessions: number;
  created_events: number;
  signed_in_events: number;
  consumed: number;
}

/** Everything that proofs of one address left behind. */
async function written(email: string): Promise<Written | undefined> {
  const [row] = await app.databases.control.sql<Written[]>`
    with person as (select tenant_id, user_id from identities where kind = 'email' and value = ${email})
    select
      (select count(*)::int from person) as identities,
      (select count(*)::int from users u where u.verification_id in
        (select id from verifications where value = ${email})) as users,
      (select count(*)::int from sessions where user_id in (select user_id from person)) as sessions,
      (select sum(live_sessions)::int from users where id in (select user_id from person)) as live_sessions,
      (select count(*)::int from audit_events where action = 'user.created'
        and subject in (select 'user:' || user_id from person)) as created_events,
      (select count(*)::int from audit_events where action = 'user.signed_in'
        and actor in (select 'user:' || user_id from person)) as signed_in_events,
      (select count(*)::int from verifications where value = ${email} and consumed_at is not null) as consumed`;
  return row;
}

const ONCE: Written = {
  identities: 1,
  users: 1,
  sessions: 1,
  live_sessions: 1,
  created_events: 1,
  signed_in_events: 1,
  consumed: 1,
};

test(`S03 of 50 right codes at once one signs in, ${ROUNDS} rounds on two servers`, {
  timeout: 60_000 + ROUNDS * 2000,
}, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { email, handle, code } = await start(app);
    const answers = await atOnce(
      Array.from({ length: 50 }, (_, index) => ({
        app: index % 2 === 0 ? app : replica,
        path: verifyPath,
        body: index % 5 === 0 ? { email, code } : { verification_id: handle, code },
      })),
    );
    assert.deepEqual(tally(answers), { '201': 1, '404 VERIFICATION_NOT_FOUND': 49 });
    assert.deepEqual({ ...(await written(email)) }, ONCE);
  }
});

test('S03 a code that was used signs nobody in later either', async () => {
  const { email, handle, code } = await start(app);
  assert.equal((await app.post(verifyPath, { verification_id: handle, code })).status, 201);
  for (const server of [app, replica]) {
    assert.equal((await server.post(verifyPath, { verification_id: handle, code })).status, 404);
    assert.equal((await server.post(verifyPath, { email, code })).status, 404);
  }
  assert.deepEqual({ ...(await written(email)) }, ONCE);
});

test('S03 two proofs of one new address at once make one account', async () => {
  for (let round = 0; round < Math.ceil(ROUNDS / 2); round++) {
    const email = newEmail();
    const first = await start(app, email);
    app.clock.advance(61);
    const second = await start(app, email);
    const answers = await atOnce(
      Array.from({ length: 12 }, (_, index) => {
        const { handle, code } = index % 4 < 2 ? first : second;
        return {
          app: index % 2 === 0 ? app : replica,
          path: verifyPath,
          body: { verification_id: handle, code },
        };
      }),
    );
    const signedIn = answers.filter(({ status }) => status === 200 || status === 201);
    assert.ok(signedIn.length === 1 || signedIn.length === 2, JSON.stringify(tally(answers)));
    assert.equal(tally(answers)['201'], 1, 'one of them made the account');
    assert.equal(new Set(signedIn.map(({ body }) => body.user.id)).size, 1, 'they are one account');
    const others = answers.filter(({ status }) => status >= 300);
    assert.ok(others.every(isNotFound), JSON.stringify(tally(answers)));
    const each = signedIn.length;
    assert.deepEqual(
      { ...(await written(email)) },
      { ...ONCE, sessions: each, live_sessions: each, signed_in_events: each, consumed: each },
    );
  }
});

function isNotFound({ body }: RacingAnswer): boolean {
  return body.error === 'VERIFICATION_NOT_FOUND';
}
