import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, type RacingAnswer, type RacingRequest, tally } from './at-once.ts';
import { assertEnded, checkToken, refreshPath, type SignedIn, signIn } from './started.ts';

let app: TestApp;
let replica: TestApp;
let servers: readonly TestApp[];
before(async () => {
  app = await createTestApp();
  replica = await app.replica();
  servers = [app, replica];
});
after(async () => {
  await replica.close();
  await app.close();
});

const ROUNDS = 12;

async function refresh(server: TestApp, token: string): Promise<RacingAnswer> {
  return server.post(refreshPath, { refresh_token: token });
}

/** One refresh that works: the pair it gave. */
async function refreshed(token: string): Promise<{ access: string; refresh: string }> {
  const { status, body } = await refresh(app, token);
  assert.equal(status, 200, JSON.stringify(body));
  return { access: body.access_token, refresh: body.refresh_token };
}

function presenting(tokens: readonly string[], times: number): RacingRequest[] {
  return Array.from({ length: times }, (_, index) => ({
    app: servers[(index >> 1) % 2] as TestApp,
    path: refreshPath,
    body: { refresh_token: tokens[index % tokens.length] },
  }));
}

async function rowOf({ sessionId, userId }: SignedIn): Promise<Record<string, unknown>> {
  const [row] = await app.databases.control.sql`
    select s.counter, s.revoke_reason, u.live_sessions, u.is_active,
      (select count(*)::int from sessions where user_id = ${userId}) as sessions
    from sessions s join users u on u.id = s.user_id where s.id = ${sessionId}`;
  return { ...row };
}

const REUSED = { revoke_reason: 'refresh_reused', live_sessions: 0, is_active: false, sessions: 1 };

test('S08 twenty refreshes with one token at once get one and the same successor, and nobody is signed out', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const session = await signIn(app);
    const answers = await atOnce(presenting([session.refresh], 20));
    assert.deepEqual(tally(answers), { '200': 20 });
    const successors = new Set(answers.map(({ body }) => body.refresh_token));
    assert.equal(successors.size, 1, 'one successor');
    assert.ok(!successors.has(session.refresh), 'and it is a new one');
    assert.deepEqual(await rowOf(session), {
      counter: 1,
      revoke_reason: null,
      live_sessions: 1,
      is_active: true,
      sessions: 1,
    });
    for (const server of servers) assert.equal(await checkToken(server, session.access), 200);
    await refreshed([...successors][0] as string);
  }
});

test('S08 a lost answer asked for again after 9 seconds gives the same successor, which then works', async () => {
  const session = await signIn(app);
  const first = await refreshed(session.refresh);
  app.clock.advance(9);
  const again = await refresh(replica, session.refresh);
  assert.equal(again.body.refresh_token, first.refresh);
  const next = await refreshed(first.refresh);
  assert.notEqual(next.refresh, first.refresh);
});

test('S08 asking again does not make the ten seconds longer', async () => {
  const session = await signIn(app);
  await refreshed(session.refresh);
  app.clock.advance(6);
  assert.equal((await refresh(replica, session.refresh)).status, 200);
  app.clock.advance(5);
  assert.equal((await refresh(app, session.refresh)).body.error, 'SESSION_ENDED');
});

test('S08 a spent token that comes back after 11 seconds ends the session', async () => {
  const session = await signIn(app);
  const next = await refreshed(session.refresh);
  app.clock.advance(11);
  const answer = await refresh(replica, session.refresh);
  assert.equal(answer.status, 401);
  assert.equal(answer.body.error, 'SESSION_ENDED');
  await assertEnded(servers, {
    sessionId: session.sessionId,
    access: [session.access, next.access],
    refresh: [session.refresh, next.refresh],
  });
  assert.deepEqual(await rowOf(session), { ...REUSED, counter: 1 });
});

test('S07 a spent token among fifty refreshes ends the family, what was minted at that moment included', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const session = await signIn(app);
    const current = await refreshed(session.refresh);
    app.clock.advance(11);
    for (const server of servers) assert.equal(await checkToken(server, current.access), 200);
    const answers = await atOnce(presenting([current.refresh, session.refresh], 50));
    const minted = answers.filter(({ status }) => status === 200).map(({ body }) => body);
    await assertEnded(servers, {
      sessionId: session.sessionId,
      access: [session.access, current.access, ...minted.map((body) => body.access_token as string)],
      refresh: [session.refresh, current.refresh, ...minted.map((body) => body.refresh_token as string)],
    });
    assert.ok(new Set(minted.map((body) => body.refresh_token)).size <= 1, 'never two descendants');
    const { counter, ...row } = await rowOf(session);
    assert.deepEqual(row, REUSED);
    assert.ok(counter === 1 || counter === 2);
    const [events] = await app.databases.control.sql`
      select count(*)::int as reused from audit_events
      where subject = ${`session:${session.sessionId}`} and action = 'session.refresh_reused'`;
    assert.equal(events?.['reused'], 1, 'one event tells of it');
  }
});

test('S07 a thief and the owner who refresh one after the other never both stay in', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const session = await signIn(app);
    // Both hold the first token; inside the ten seconds both get the same second one.
    const [thief, owner] = await atOnce(presenting([session.refresh], 2));
    assert.equal(thief?.body.refresh_token, owner?.body.refresh_token);
    const second = thief?.body.refresh_token as string;
    const third = await atOnce(presenting([second, session.refresh], 50));
    const minted = third
      .filter(({ status }) => status === 200)
      .map(({ body }) => body.refresh_token as string);
    app.clock.advance(11);
    const newest = [...new Set(minted)].filter((token) => token !== second);
    assert.ok(newest.length <= 1, `never two descendants: ${newest.length}`);
    const alive: string[] = [];
    for (const token of newest) {
      const { status, body } = await refresh(app, token);
      if (status === 200) alive.push(body.refresh_token);
    }
    app.clock.advance(11);
    await refresh(replica, second);
    for (const token of [session.refresh, second, ...minted, ...alive]) {
      assert.equal((await refresh(app, token)).status, 401, 'a spent token has ended the family');
    }
  }
});

test('S07 a token two steps behind ends the family even within the ten seconds', async () => {
  const session = await signIn(app);
  const second = await refreshed(session.refresh);
  const third = await refreshed(second.refresh);
  assert.equal((await refresh(app, session.refresh)).status, 401);
  await assertEnded(servers, {
    sessionId: session.sessionId,
    access: [session.access, second.access, third.access],
    refresh: [third.refresh, second.refresh],
  });
});

test('S07 a refresh token that was never issued yet ends nothing', async () => {
  const session = await signIn(app);
  const forged = `${session.refresh.slice(0, -1)}${session.refresh.endsWith('A') ? 'B' : 'A'}`;
  assert.equal((await refresh(app, forged)).body.error, 'TOKEN_INVALID');
  assert.equal(await checkToken(app, session.access), 200);
  await refreshed(session.refresh);
});
