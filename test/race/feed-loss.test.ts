import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { checkToken, refreshPath, type SignedIn, signIn } from './started.ts';

const ROUNDS = 8;

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

async function feedProcesses(): Promise<number[]> {
  const rows = await app.databases.control.sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where application_name = 'firstproof feed' and datname = current_database() order by backend_start`;
  return rows.map((row) => row.pid);
}

/** Ends the feed connections of both servers, as a failing network or an administrator does. */
async function killFeeds(): Promise<number[]> {
  const processes = await feedProcesses();
  await app.databases.control.sql`select pg_terminate_backend(pid) from unnest(${processes}::int[]) pid`;
  return processes;
}

async function feedsAreBack(killed: readonly number[]): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    const processes = await feedProcesses();
    if (processes.length === 2 && !processes.some((pid) => killed.includes(pid))) return;
    await wait(10);
  }
  assert.fail('the feeds did not connect again');
}

/** Both servers know its token by heart. */
async function known(style: 'jwt' | 'opaque'): Promise<SignedIn> {
  const session = await signIn(app, undefined, style);
  for (const server of servers) assert.equal(await checkToken(server, session.access), 200);
  return session;
}

/** An end that no server is told of, as if its notice had been lost. */
async function endUntold({ sessionId }: SignedIn): Promise<void> {
  await app.databases.control.sql`
    update sessions set revoked_at = ${app.clock.now()}, revoke_reason = 'signed_out' where id = ${sessionId}`;
}

/** Waits until both servers answer from memory: then they do not know of an end that nobody tells. */
async function answeringFromMemory(): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const canary = await known('jwt');
    await endUntold(canary);
    const statuses = await Promise.all(servers.map((server) => checkToken(server, canary.access)));
    if (statuses.every((status) => status === 200)) return;
    await wait(100);
  }
  assert.fail('the servers did not go back to answering from memory');
}

test('S14 with every feed cut a session that ends is refused at once on both servers', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const session = await known(round % 2 === 0 ? 'jwt' : 'opaque');
    const lasting = await known('jwt');
    const killed = await killFeeds();
    const ending = servers[(round >> 1) % 2] as TestApp;
    const answer = await ending.post('/api/v1/auth/logout', {}, { token: session.access });
    assert.equal(answer.status, 200);
    const statuses = await Promise.all(servers.map((server) => checkToken(server, session.access)));
    assert.deepEqual(statuses, [401, 401], `round ${round}`);
    const others = await Promise.all(servers.map((server) => checkToken(server, lasting.access)));
    assert.deepEqual(others, [200, 200], 'who is signed in stays so');
    await feedsAreBack(killed);
    const later = await Promise.all(servers.map((server) => checkToken(server, session.access)));
    assert.deepEqual(later, [401, 401], 'and stays refused');
  }
});

test('S14 a feed that comes back has caught up with what ended meanwhile', async () => {
  for (let round = 0; round < 3; round++) {
    const sessions = [await known('jwt'), await known('opaque')];
    const killed = await killFeeds();
    for (const session of sessions) await endUntold(session);
    await feedsAreBack(killed);
    await answeringFromMemory();
    for (const { access } of sessions) {
      const statuses = await Promise.all(servers.map((server) => checkToken(server, access)));
      assert.deepEqual(statuses, [401, 401], `round ${round}`);
    }
  }
});

test('S14 with the feed cut a refresh token used again ends its access tokens at once', async () => {
  for (let round = 0; round < 3; round++) {
    const session = await known('jwt');
    const { body } = await app.post(refreshPath, { refresh_token: session.refresh });
    app.clock.advance(11);
    const killed = await killFeeds();
    const reused = await replica.post(refreshPath, { refresh_token: session.refresh });
    assert.equal(reused.status, 401);
    for (const token of [session.access, body.access_token]) {
      const statuses = await Promise.all(servers.map((server) => checkToken(server, token)));
      assert.deepEqual(statuses, [401, 401]);
    }
    await feedsAreBack(killed);
  }
});
