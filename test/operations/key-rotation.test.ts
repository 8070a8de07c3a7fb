import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';

const AUTH = '/api/v1/auth';
const CACHE_SECONDS = 300;

let first: TestApp;
let second: TestApp;
before(async () => {
  first = await createTestApp({ env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' } });
  second = await first.replica();
});
after(async () => {
  await second.close();
  await first.close();
});

/** A service that keeps the JWKS as long as it is told to, and never looks before that, whatever key it meets. */
function createVerifier(server: TestApp) {
  let keys: JSONWebKeySet = { keys: [] };
  let freshUntil = 0;
  return {
    async verify(token: string): Promise<void> {
      const now = server.clock.now();
      if (now.getTime() >= freshUntil) {
        const answer = await server.get('/.well-known/jwks.json');
        assert.match(String(answer.headers.get('cache-control')), new RegExp(`max-age=${CACHE_SECONDS}\\b`));
        keys = answer.body as JSONWebKeySet;
        freshUntil = now.getTime() + CACHE_SECONDS * 1000;
      }
      await jwtVerify(token, createLocalJWKSet(keys), { currentDate: now, algorithms: ['ES256'] });
    },
  };
}

const tenantId = (): string => first.app.tenants.bySlug('default')?.id ?? '';
const rotate = (server: TestApp, emergency = false): Promise<boolean> =>
  server.app.keys.rotate(tenantId(), { emergency, actor: 'test' });
const session = async (server: TestApp, token: string): Promise<number> =>
  (await server.get(`${AUTH}/session`, { token })).status;

test('R10 ten rotations under load on two servers: no token is refused, by them or by who keeps the JWKS', async () => {
  const servers = [first, second];
  // Two verifiers a server, which fetched the keys at different moments.
  const verifiers = servers.flatMap((server) => [createVerifier(server), createVerifier(server)]);
  const people = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const { body } = await first.signIn({ email: `rotation${index}@firstproof.dev` });
      return { access: [String(body.access_token)], refresh: String(body.refresh_token) };
    }),
  );
  const kids = new Set<string>();
  let checks = 0;
  async function use(person: (typeof people)[number], index: number): Promise<void> {
    const server = servers[index % 2] as TestApp;
    const { status, body } = await server.post(`${AUTH}/refresh`, { refresh_token: person.refresh });
    assert.equal(status, 200);
    person.refresh = body.refresh_token;
    person.access = [...person.access.slice(-3), String(body.access_token)];
    kids.add(
      JSON.parse(Buffer.from(String(body.access_token).split('.')[0] ?? '', 'base64url').toString()).kid,
    );
    for (const token of person.access) {
      for (const other of servers) assert.equal(await session(other, token), 200);
      for (const verifier of verifiers) await verifier.verify(token);
      checks += 2 + verifiers.length;
    }
  }
  for (let rotation = 0; rotation < 10; rotation++) {
    const useAll = (): Promise<void[]> =>
      Promise.all(people.map((person, index) => use(person, index + rotation)));
    first.clock.advance(200);
    // Not every verifier has met the next key yet: whoever keeps the JWKS would refuse what it signed.
    assert.equal(await rotate(servers[rotation % 2] as TestApp), false);
    await verifiers[rotation % 4]?.verify(people[0]?.access.at(-1) ?? '');
    first.clock.advance(101);
    const using = useAll();
    assert.equal(await rotate(servers[rotation % 2] as TestApp), true);
    await using;
    await useAll();
  }
  assert.ok(kids.size >= 10, `${kids.size} keys signed`);
  assert.ok(checks > 2000, `${checks} checks`);
});

test('R10 of servers that rotate at once, one does', async () => {
  first.clock.advance(CACHE_SECONDS);
  const outcomes = await Promise.all([rotate(first), rotate(second), rotate(first), rotate(second)]);
  assert.equal(outcomes.filter(Boolean).length, 1);
});

test('R10 a key rotated in an emergency verifies nothing any more, on any server, and refreshing goes on', async () => {
  const { body } = await first.signIn({ email: 'emergency@firstproof.dev' });
  const { access_token: token, refresh_token: refreshToken } = body;
  // Both remember that they have verified this token.
  for (const server of [first, second]) assert.equal(await session(server, token), 200);
  assert.equal(await rotate(first, true), true);
  const refused = await first.get(`${AUTH}/session`, { token });
  assert.deepEqual([refused.status, refused.body.error], [401, 'TOKEN_INVALID']);
  await until(async () => (await session(second, token)) === 401);

  const next = await second.post(`${AUTH}/refresh`, { refresh_token: refreshToken });
  assert.equal(next.status, 200);
  for (const server of [first, second]) assert.equal(await session(server, next.body.access_token), 200);
  const kids = (await first.get('/.well-known/jwks.json')).body.keys.map((key: { kid: string }) => key.kid);
  assert.ok(!kids.includes(JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString()).kid));
});

test('R10 a server that does not hear of it asks the database, and refuses the old key all the same', async () => {
  const { body } = await first.signIn({ email: 'deaf@firstproof.dev' });
  assert.equal(await session(second, body.access_token), 200);
  const { sql } = first.databases.control;
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'firstproof feed'`;
  assert.equal(await rotate(first, true), true);
  assert.equal(await session(second, body.access_token), 401);
});

test('R10 a token of a key that this server has never met is looked up, also while nonsense is tried', async () => {
  const nonsense = (): Promise<number> => {
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: `k${Math.random()}` }));
    return session(second, `${header.toString('base64url')}.e30.AAAA`);
  };
  await first.app.tenants.create({
    ...{ slug: 'young', name: 'Young', kind: 'application', phonePrefixes: [], hosts: [], database: null },
    ...{ locale: 'en', settings: {}, branding: {} },
  });
  await until(() => second.app.tenants.bySlug('young') !== undefined);
  await first.app.keys.ensure(first.app.tenants.bySlug('young')?.id ?? '');
  const signedIn = await first.signIn(
    { email: 'young@firstproof.dev' },
    {},
    { headers: { 'x-tenant': 'young' } },
  );
  const answers = await Promise.all([
    ...Array.from({ length: 20 }, nonsense),
    session(second, signedIn.body.access_token),
    session(second, signedIn.body.access_token),
  ]);
  assert.deepEqual(answers, [...Array.from({ length: 20 }, () => 401), 200, 200]);
});
