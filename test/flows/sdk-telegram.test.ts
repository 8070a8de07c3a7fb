import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient, FirstproofError } from '../../sdk/src/client.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createFakeLogin, LOGIN_CLIENT } from '../telegram/fake-login.ts';
import { type BrowserLink, buttonOf, confirmLink, start } from '../telegram/link.ts';
import { simulateChat } from '../telegram/simulated-chat.ts';

const START = new Date('2026-03-01T12:00:00.000Z');
const BACK = 'https://app.example/back';
const PASSWORD = 'violet harbour 19 mandolin';
const fake = await createFakeLogin(() => START.getTime() / 1000);
let app: TestApp;
before(async () => {
  app = await createTestApp({
    start: START,
    fetch: fake.fetch,
    env: { TELEGRAM_LOGIN_CLIENT_ID: LOGIN_CLIENT.id, TELEGRAM_LOGIN_CLIENT_SECRET: LOGIN_CLIENT.secret },
    tenants: { default: { telegram_sign_in: { return_addresses: [BACK] } } },
  });
});
after(() => app.close());

const newClient = () => createClient({ baseUrl: app.url, tenant: 'default' });
const isRefusal = (code: string) => (fault: unknown) =>
  fault instanceof FirstproofError && fault.code === code;

async function beginLink(client: ReturnType<typeof newClient>) {
  const begun = await client.telegram.beginLink();
  const payload = new URL(begun.url).searchParams.get('start') ?? '';
  const inTelegram = { payload, number: begun.match_number } as BrowserLink;
  return { begun, inTelegram };
}

test('the client follows a link into Telegram and is signed in once it is confirmed', async () => {
  const client = newClient();
  const { begun, inTelegram } = await beginLink(client);
  const states: string[] = [];
  const following = client.telegram.followLink(begun.link_id, (state) => states.push(state));
  await confirmLink(app, inTelegram);
  const done = await following;
  assert.equal(done.is_new_user, true);
  assert.equal(states.at(-1), 'confirmed');
  assert.equal((await client.me()).id, done.user.id);
});

test('a server that answers at once is not asked without a pause, and whoever goes away is followed no longer', async () => {
  let asked = 0;
  const pauses: number[] = [];
  const client = createClient({
    baseUrl: app.url,
    fetch: (url, init) => {
      const address = new URL(url);
      if (!address.searchParams.has('seen')) return fetch(address, init);
      asked++;
      address.searchParams.set('wait', '0');
      return fetch(address, init);
    },
    wait: async (milliseconds) => {
      pauses.push(milliseconds);
      if (pauses.length === 3) leaving.abort();
    },
  });
  const leaving = new AbortController();
  const { begun } = await beginLink(client);
  const states: string[] = [];
  const following = client.telegram.followLink(begun.link_id, (state) => states.push(state), leaving.signal);
  await assert.rejects(following, { name: 'AbortError' });
  assert.deepEqual(pauses, [2000, 2000, 2000]);
  assert.deepEqual([asked, states], [3, ['waiting']]);
});

test('a link that is denied ends as an error with its code', async () => {
  const client = newClient();
  const { begun, inTelegram } = await beginLink(client);
  const refused = assert.rejects(client.telegram.followLink(begun.link_id), isRefusal('LINK_DENIED'));
  const chat = simulateChat(app);
  await chat.press(buttonOf(await start(chat, inTelegram), 'no'));
  await refused;
  assert.equal(client.tokens, undefined);
});

test('the client goes to Telegram’s own login and comes back signed in; another address is refused', async () => {
  const client = newClient();
  await assert.rejects(client.telegram.beginLogin('https://evil.example'), isRefusal('INVALID_REQUEST'));
  const login = await client.telegram.beginLogin(BACK);
  const answer = fake.approve(login.authorization_url, { id: 981_000_001, name: 'Mia' });
  const address = `${BACK}?${new URLSearchParams(answer).toString()}`;
  const done = await client.telegram.completeLogin(login.login_id, address);
  assert.equal(done.user.telegram_user_id, '981000001');
  assert.equal((await client.me()).first_name, 'Mia');
  await assert.rejects(
    client.telegram.completeLogin(login.login_id, address),
    isRefusal('TELEGRAM_DATA_INVALID'),
  );
});

test('data that no bot has signed is refused, typed', async () => {
  const data = 'user=%7B%22id%22%3A1%7D&auth_date=1&hash=00';
  await assert.rejects(
    newClient().telegram.signInByInitData(data),
    (fault: unknown) =>
      fault instanceof FirstproofError &&
      ['TELEGRAM_DATA_INVALID', 'CHANNEL_UNAVAILABLE'].includes(fault.code),
  );
});

test('resend, password and the ways to sign out, each by its method', async () => {
  const client = newClient();
  const email = 'sdk-methods@example.com';
  await app.post('/api/v1/auth/register', { email, password: PASSWORD });
  await assert.rejects(client.login({ email, password: PASSWORD }), isRefusal('ACCOUNT_NOT_VERIFIED'));
  const code = await app.code(email);
  await app.post('/api/v1/auth/verify-code', { email, code });
  await client.login({ email, password: PASSWORD });
  const second = newClient();
  await second.login({ email, password: PASSWORD });
  await client.logout('others');
  assert.equal((await client.me()).email, email);
  await assert.rejects(second.me(), isRefusal('SESSION_ENDED'));
  await client.logout('all');
  assert.equal(client.tokens, undefined);
  const sent = await newClient().sendVerification({ email: 'sdk-resend@example.com' });
  await assert.rejects(client.resend(sent.verification_id ?? ''), isRefusal('RESEND_TOO_SOON'));
  app.clock.advance(61);
  const again = await client.resend(sent.verification_id ?? '');
  assert.equal(again.verification_id ?? sent.verification_id, sent.verification_id);
});
