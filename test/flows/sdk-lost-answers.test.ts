import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient, FirstproofError } from '../../sdk/src/client.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createTcpProxy, type TcpProxy } from '../tcp-proxy.ts';
import { wrongCode } from '../wrong-code.ts';

let app: TestApp;
let proxy: TcpProxy;
/** Seconds that clients have waited before they went on. */
let waits: number[] = [];
before(async () => {
  app = await createTestApp();
  proxy = await createTcpProxy({ host: '127.0.0.1', port: Number(new URL(app.url).port) });
});
after(async () => {
  await proxy.close();
  await app.close();
});

/** A client behind the proxy. */
function newClient(more: { fetch?: typeof fetch } = {}) {
  waits = [];
  const wait = async (milliseconds: number): Promise<void> => void waits.push(milliseconds / 1000);
  return createClient({ baseUrl: `http://127.0.0.1:${proxy.port}`, tenant: 'default', wait, ...more });
}

async function sentTo(email: string): Promise<number> {
  const { body } = await app.get(`/dev/messages?to=${email}`);
  return body.length;
}

test('a send whose answer is lost is repeated once, by the key: one message, and the answer of the first', async () => {
  const email = 'lost-send@example.com';
  const client = newClient();
  proxy.loseAnswers(1);
  const sent = await client.sendVerification({ email });
  const code = await app.code(email);
  assert.equal(await sentTo(email), 1);
  assert.deepEqual(waits, [1]);
  const done = await client.verifyCode({ verification_id: sent.verification_id ?? '', code });
  assert.equal(done.is_new_user, true);
});

test('a sign-up, a proof, a resend and a sign-in with a password survive it alike: nothing is done twice', async () => {
  const email = 'lost-all@example.com';
  const password = 'wet lemons on the ledge';
  const client = newClient();
  proxy.loseAnswers(1);
  const { verification_id: id = '' } = await client.register({ email, password, first_name: 'Ada' });
  const first = await app.newestMessage(email);
  app.clock.advance(61);
  proxy.loseAnswers(1);
  await client.resend(id);
  const code = await app.code(email, { after: first });
  assert.equal(await sentTo(email), 2);

  // A wrong code is one attempt.
  proxy.loseAnswers(1);
  await assert.rejects(
    client.verifyCode({ verification_id: id, code: wrongCode(code) }),
    (fault: unknown) => {
      assert.ok(fault instanceof FirstproofError);
      return fault.code === 'INVALID_CODE' && fault.details.attempts_left === 4;
    },
  );
  proxy.loseAnswers(1);
  const done = await client.verifyCode({ verification_id: id, code });
  assert.equal(done.is_new_user, true);
  assert.equal((await client.me()).email, email);
  proxy.loseAnswers(1);
  await client.login({ email, password });
  const { sql } = app.databases.control;
  const [row] = await sql`select count(*)::int as sessions from sessions where user_id = ${done.user.id}`;
  assert.equal(row?.['sessions'], 2, 'one of the proof, one of the password');
});

test('lost twice, it is told: the client does not go on for ever', async () => {
  const email = 'lost-twice@example.com';
  const client = newClient();
  proxy.loseAnswers(2);
  await assert.rejects(client.sendVerification({ email }), TypeError);
  assert.deepEqual(waits, [1]);
  await app.code(email);
  assert.equal(await sentTo(email), 1);
});

test('what has no key is not repeated, as it would be done twice; what only reads is', async () => {
  const client = newClient();
  const { verification_id: id = '' } = await client.sendVerification({ email: 'keyless@example.com' });
  await client.verifyCode({ verification_id: id, code: await app.code('keyless@example.com') });
  proxy.loseAnswers(1);
  assert.equal((await client.me()).email, 'keyless@example.com');
  assert.deepEqual(waits, [1]);
  proxy.loseAnswers(1);
  await assert.rejects(client.logout('others'), TypeError);
  assert.deepEqual(waits, [1]);
});

test('a gateway that answers in place of the server is not believed: the call is repeated by its key', async () => {
  for (const status of [502, 503, 504]) {
    const email = `gateway-${status}@example.com`;
    const keys: string[] = [];
    const client = newClient({
      fetch: async (url, init) => {
        keys.push(new Headers(init?.headers).get('idempotency-key') ?? '');
        const answer = await fetch(url, init);
        return keys.length === 1 ? new Response('<html>Bad gateway</html>', { status }) : answer;
      },
    });
    const { verification_id: id } = await client.sendVerification({ email });
    assert.ok(id);
    await app.code(email);
    assert.equal(await sentTo(email), 1);
    assert.equal(keys.length, 2);
    assert.ok(keys[0]);
    assert.equal(keys[0], keys[1]);
  }
});

test('a repeated call waits while the first is still being answered', async () => {
  const email = 'in-use@example.com';
  let calls = 0;
  const { sql } = app.databases.control;
  const client = createClient({
    baseUrl: app.url,
    tenant: 'default',
    fetch: async (url, init) => {
      calls++;
      if (calls > 1) return fetch(url, init);
      // The first is on its way, and held up by a lock; its caller hears no more of it.
      const held = sql.begin(async (locked) => {
        await locked`lock table verifications in access exclusive mode`;
        void fetch(url, init).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 1500));
      });
      held.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 400));
      throw new TypeError('terminated');
    },
    wait: () => new Promise((resolve) => setTimeout(resolve, 300)),
  });
  const sent = await client.sendVerification({ email });
  assert.ok(sent.verification_id);
  assert.ok(calls > 2, `${calls} calls`);
  await app.code(email);
  assert.equal(await sentTo(email), 1);
});

test('whoever gives up is not answered by another try', async () => {
  const stop = new AbortController();
  let calls = 0;
  const client = newClient({
    fetch: async (url, init) => {
      calls++;
      stop.abort();
      return fetch(url, { ...init, signal: stop.signal });
    },
  });
  await assert.rejects(client.sendVerification({ email: 'gave-up@example.com' }), { name: 'AbortError' });
  assert.equal(calls, 1);
});
