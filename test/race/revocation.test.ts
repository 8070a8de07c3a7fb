import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce } from './at-once.ts';
import { assertEnded, checkToken, newEmail, refreshPath, type SignedIn, signIn } from './started.ts';

const ROUNDS = 15;

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

/** A way to end a session, told to one server. */
type End = (server: TestApp, session: SignedIn) => Promise<void>;

const logout: End = async (server, { access }) => {
  assert.equal((await server.post('/api/v1/auth/logout', {}, { token: access })).status, 200);
};

const logoutEverywhere: End = async (server, { access }) => {
  assert.equal((await server.post('/api/v1/auth/logout', { scope: 'all' }, { token: access })).status, 200);
};

const endDevice: End = async (server, { access, deviceId }) => {
  const path = `/api/v1/auth/devices/${deviceId}`;
  assert.equal((await server.request('DELETE', path, undefined, { token: access })).status, 200);
};

const revokeWith =
  (pick: (session: SignedIn) => string): End =>
  async (server, session) => {
    const headers = { 'x-api-key': server.apiKey };
    assert.equal((await server.post('/api/v1/revoke', { token: pick(session) }, { headers })).status, 200);
  };

const reuseRefresh: End = async (server, { refresh }) => {
  assert.equal((await server.post(refreshPath, { refresh_token: refresh })).status, 200);
  app.clock.advance(11);
  assert.equal((await server.post(refreshPath, { refresh_token: refresh })).status, 401);
};

const WAYS: readonly [name: string, style: 'jwt' | 'opaque', end: End][] = [
  ['a logout', 'jwt', logout],
  ['a logout of an opaque session', 'opaque', logout],
  ['a logout everywhere', 'jwt', logoutEverywhere],
  ['a device revoked', 'jwt', endDevice],
  ['a device with an opaque session revoked', 'opaque', endDevice],
  ['/revoke with the access token', 'jwt', revokeWith(({ access }) => access)],
  ['/revoke with the refresh token', 'jwt', revokeWith(({ refresh }) => refresh)],
  ['/revoke with the opaque token', 'opaque', revokeWith(({ access }) => access)],
  ['a refresh token used again', 'jwt', reuseRefresh],
];

/** Both servers know the token by heart before it ends, so that only what they are told can change their answer. */
async function known(style: 'jwt' | 'opaque', email?: string): Promise<SignedIn> {
  const session = await signIn(app, email, style);
  for (const server of servers) assert.equal(await checkToken(server, session.access), 200);
  return session;
}

for (const [name, style, end] of WAYS) {
  test(`S14 ${name} ends the token at the next request, on every server`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const session = await known(style);
      const ending = servers[round % 2] as TestApp;
      const other = servers[(round + 1) % 2] as TestApp;
      await end(ending, session);
      const elsewhere = await checkToken(other, session.access);
      assert.equal(elsewhere, 401, `round ${round}: taken on the other server`);
      assert.equal(await checkToken(ending, session.access), 401, `round ${round}: taken on the same server`);
      const refresh = session.refresh === '' ? [] : [session.refresh];
      if (round === 0) {
        const { sessionId, access } = session;
        await assertEnded(servers, { sessionId, access: [access], refresh });
      }
    }
  });
}

test('S14 ending the others ends each of them on every server and leaves this one', async () => {
  for (let round = 0; round < 3; round++) {
    const email = newEmail();
    const [here, ...others] = [
      await known('jwt', email),
      await known('opaque', email),
      await known('jwt', email),
    ];
    const answer = await replica.post('/api/v1/auth/logout', { scope: 'others' }, { token: here.access });
    assert.equal(answer.status, 200);
    const statuses = await Promise.all(
      servers.flatMap((server) => others.map(({ access }) => checkToken(server, access))),
    );
    assert.deepEqual(statuses, [401, 401, 401, 401]);
    for (const server of servers) assert.equal(await checkToken(server, here.access), 200);
  }
});

test('S14 of two sign-outs of one session at once, whoever is answered first, the token is dead on both servers', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const session = await known('jwt');
    const signOut = async (server: TestApp): Promise<number[]> => {
      await server.post('/api/v1/auth/logout', {}, { token: session.access });
      return Promise.all(servers.map((one) => checkToken(one, session.access)));
    };
    assert.deepEqual(await Promise.all(servers.map(signOut)), [
      [401, 401],
      [401, 401],
    ]);
  }
});

test('S14 a sign-out that races with refreshes wins: nothing of the session lives on', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const session = await known('jwt');
    const [ended, ...answers] = await Promise.all([
      (servers[round % 2] as TestApp).post('/api/v1/auth/logout', {}, { token: session.access }),
      atOnce(
        Array.from({ length: 12 }, (_, index) => ({
          app: servers[index % 2] as TestApp,
          path: refreshPath,
          body: { refresh_token: session.refresh },
        })),
      ),
    ]);
    assert.equal(ended.status, 200);
    const minted = answers.flat().filter(({ status }) => status === 200);
    await assertEnded(servers, {
      sessionId: session.sessionId,
      access: [session.access, ...minted.map(({ body }) => body.access_token as string)],
      refresh: [session.refresh, ...minted.map(({ body }) => body.refresh_token as string)],
    });
    const [user] = await app.databases.control.sql`
      select live_sessions, is_active from users where id = ${session.userId}`;
    assert.deepEqual({ ...user }, { live_sessions: 0, is_active: false });
  }
});
