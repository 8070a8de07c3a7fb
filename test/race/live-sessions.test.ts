import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, type RacingRequest } from './at-once.ts';
import { newEmail, refreshPath, type SignedIn, signIn, start, verifyPath } from './started.ts';

let app: TestApp;
let replica: TestApp;
let servers: readonly TestApp[];
before(async () => {
  app = await createTestApp({ tenants: { default: { sessions: { access_ttl_seconds: 86_400 } } } });
  replica = await app.replica();
  servers = [app, replica];
});
after(async () => {
  await replica.close();
  await app.close();
});

interface Counted {
  is_active: boolean;
  live_sessions: number;
  live_rows: number;
}

async function countedOf(userId: string): Promise<Counted> {
  const [row] = await app.databases.control.sql<Counted[]>`
    select u.is_active, u.live_sessions, (select count(*)::int from sessions s
      where s.tenant_id = u.tenant_id and s.user_id = u.id and s.revoked_at is null) as live_rows
    from users u where u.id = ${userId}`;
  assert.ok(row);
  return { ...row };
}

test('S14 two sessions of one person signed out at once leave nobody active', async () => {
  for (let round = 0; round < 12; round++) {
    const email = newEmail();
    const sessions = [await signIn(app, email), await signIn(app, email)];
    const answers = await Promise.all(
      sessions.map(({ access }, index) =>
        (servers[index] as TestApp).post('/api/v1/auth/logout', {}, { token: access }),
      ),
    );
    const last = answers.filter(({ body }) => body.message.endsWith('User is now inactive.'));
    assert.equal(last.length, 1, 'one of them was the last');
    const counted = await countedOf((sessions[0] as SignedIn).userId);
    assert.deepEqual(counted, { is_active: false, live_sessions: 0, live_rows: 0 });
  }
});

test('S14 several sessions ended by one call are each counted down, and the last one leaves nobody active', async () => {
  const email = newEmail();
  const staying = await signIn(app, email);
  await signIn(app, email);
  await signIn(app, email);
  const { status } = await app.post('/api/v1/auth/logout', { scope: 'others' }, { token: staying.access });
  assert.equal(status, 200);
  assert.deepEqual(await countedOf(staying.userId), { is_active: true, live_sessions: 1, live_rows: 1 });
  const { body } = await app.post('/api/v1/auth/logout', {}, { token: staying.access });
  assert.match(body.message, /User is now inactive/);
  assert.deepEqual(await countedOf(staying.userId), { is_active: false, live_sessions: 0, live_rows: 0 });
});

test('S14 one session ended in five ways at once is counted down once', async () => {
  for (let round = 0; round < 8; round++) {
    const email = newEmail();
    const staying = await signIn(app, email);
    const going = await signIn(app, email);
    const ends = ({ access, deviceId }: SignedIn, server: TestApp): Promise<unknown>[] => [
      server.post('/api/v1/auth/logout', {}, { token: access }),
      server.request('DELETE', `/api/v1/auth/devices/${deviceId}`, undefined, { token: access }),
      server.post('/api/v1/revoke', { token: access }, { headers: { 'x-api-key': server.apiKey } }),
      server.post('/api/v1/auth/logout', { scope: 'others' }, { token: staying.access }),
    ];
    await Promise.all(servers.flatMap((server) => ends(going, server)));
    const counted = await countedOf(staying.userId);
    assert.deepEqual(counted, { is_active: true, live_sessions: 1, live_rows: 1 });
  }
});

/** A small generator of chance with a seed, so that a failing round can be played again (mulberry32). */
function chanceFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

test('S14 what a person is counted to have agrees with the sessions after any mix of sign-ins, ends and refreshes', async () => {
  const seed = Number(process.env['FIRSTPROOF_RACE_SEED'] ?? app.clock.now().getTime() % 2 ** 31);
  const chance = chanceFrom(seed);
  const people = await Promise.all(Array.from({ length: 4 }, () => signIn(app)));
  const held = new Map(people.map((person) => [person.userId, [person]]));
  for (let round = 0; round < 15; round++) {
    app.clock.advance(3700);
    const racing: RacingRequest[] = [];
    const ends: Promise<unknown>[] = [];
    const server = (): TestApp => servers[chance(2)] as TestApp;
    for (const { email } of people) {
      const { handle, code } = await start(app, email);
      racing.push({ app: server(), path: verifyPath, body: { verification_id: handle, code } });
    }
    for (const sessions of held.values()) {
      for (const { access, refresh, deviceId } of sessions) {
        const path = '/api/v1/auth/logout';
        const what = chance(8);
        if (what === 0) ends.push(server().post(path, {}, { token: access }));
        if (what === 1) ends.push(server().post(path, { scope: 'others' }, { token: access }));
        if (what === 2) ends.push(server().post(path, { scope: 'all' }, { token: access }));
        if (what === 3)
          ends.push(
            server().request('DELETE', `/api/v1/auth/devices/${deviceId}`, undefined, { token: access }),
          );
        if (what > 3) racing.push({ app: server(), path: refreshPath, body: { refresh_token: refresh } });
      }
    }
    const [answers] = await Promise.all([atOnce(racing), ...ends]);
    for (const { status, body } of answers) {
      assert.ok(status < 500, JSON.stringify(body));
      if (body.session === undefined) continue;
      held.get(body.user.id)?.push({
        email: '',
        userId: body.user.id,
        sessionId: body.session.id,
        deviceId: body.session.device_id,
        access: body.access_token,
        refresh: body.refresh_token,
      });
    }
    for (const { userId } of people) {
      const { is_active, live_sessions, live_rows } = await countedOf(userId);
      const name = `seed ${seed}, round ${round}`;
      assert.deepEqual(
        { is_active, live_sessions },
        { is_active: live_rows > 0, live_sessions: live_rows },
        name,
      );
    }
  }
});
