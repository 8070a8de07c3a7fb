import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../telegram/fake-bot-api.ts';
import { createFakeLogin, LOGIN_CLIENT } from '../telegram/fake-login.ts';
import { createSigner, freshFields } from '../telegram/signed-data.ts';
import { readOperations } from './api-document.ts';
import { type HostileRequest, hostileRequests, type Treasury } from './hostile-requests.ts';

/** Requests sent; `FIRSTPROOF_FUZZ_CASES=100000` for a long run. */
const CASES = Number(process.env['FIRSTPROOF_FUZZ_CASES'] ?? 3200);
/** A run is repeated by the seed that it reports. */
const SEED = Number(process.env['FIRSTPROOF_FUZZ_SEED'] ?? randomInt(2 ** 31));
const AT_ONCE = 32;
const REFILL_EVERY = AT_ONCE * 20;
const TENANTS = ['default', 'us', 'uz'];

const BACK = 'https://app.example/back';
const THIRD_PARTY_BOT = '7342037359';
/** What is said while it is refused by Telegram, or when making requests keeps the one thread busy. */
const EXPECTED = ['telegram_login', 'feed_lost'];

let app: TestApp;
let seconds = (): number => 0;
const telegramLogin = await createFakeLogin(() => seconds());
const telegram = createSigner();
const faults: string[] = [];

before(async () => {
  app = await createTestApp({
    env: { FIRSTPROOF_BUDGETS: 'relaxed' },
    fetch: telegramLogin.fetch,
    telegramPublicKey: telegram.publicKey,
    tenants: Object.fromEntries(
      TENANTS.map((slug) => [
        slug,
        { telegram_sign_in: { return_addresses: [BACK], bot_ids: [THIRD_PARTY_BOT] } },
      ]),
    ),
    log: {
      debug() {},
      info() {},
      warn: ({ event, error }) => EXPECTED.includes(event ?? '') || faults.push(`${event} ${String(error)}`),
      error: ({ event, error }) =>
        faults.push(`${event} ${error instanceof Error ? error.stack : String(error)}`),
    },
  });
  seconds = () => Math.floor(app.clock.now().getTime() / 1000);
  const client = { client_id: LOGIN_CLIENT.id, client_secret: LOGIN_CLIENT.secret };
  for (const slug of TENANTS) {
    const path = `/api/v1/admin/tenants/${slug}/telegram-login`;
    const { status } = await app.request('PUT', path, client, { token: app.apiKey });
    assert.equal(status, 200);
  }
});
after(() => app.close());

/** A code that was asked for by a generated request is not to be taken for the one of a sign-in. */
async function allArrived(): Promise<void> {
  for (const { sql } of app.databases.all()) {
    await until(async () => {
      const [row] = await sql`select exists (select from messages where state in ('queued', 'sending')
        and due_at <= ${app.clock.now()}) as some`;
      return row?.['some'] === false;
    }, 'the messages leave');
  }
}

/** Sign-ins at Telegram that wait for the browser to come back with a code. */
async function beginTelegramLogins(round: number): Promise<{ login: string; state: string; code: string }[]> {
  const phones = ['14155551300', '14155551399'];
  return Promise.all(
    phones.map(async (phone_number, index) => {
      const { body } = await app.post('/api/v1/auth/telegram/oidc', { redirect_uri: BACK });
      const person = { id: 960_000_000 + round + index, name: 'Ада', phone_number };
      return { login: body.login_id, ...telegramLogin.approve(body.authorization_url, person) };
    }),
  );
}

/** Real tokens, handles, codes and ids: a request that gets far breaks more than one that is refused at once. */
async function fillTreasury(round: number): Promise<Treasury> {
  await allArrived();
  app.clock.advance(1);
  const people: Answer[] = [];
  for (let person = 0; person < 6; person++) {
    const style = person % 2 ? 'opaque' : 'jwt';
    people.push(await app.signIn({ phone: `+1415555130${person}` }, { style, username: `fuzz${person}` }));
    people.push(await app.signIn({ email: `fuzz${person}@example.com` }, { style }));
  }
  const emails = [0, 1, 2].map((waiting) => `waiting${waiting}-${round}@example.com`);
  const waiting: string[] = [];
  for (const email of emails)
    waiting.push((await app.post('/api/v1/auth/send-verification', { email })).body.verification_id);
  const codes = await Promise.all(emails.map((email) => app.code(email)));
  const logins = await beginTelegramLogins(round);
  const tokens = people.map(({ body }) => body.access_token as string);
  const refresh = people.flatMap(({ body }) => (body.refresh_token ? [body.refresh_token as string] : []));
  return {
    bearer: [...tokens, app.apiKey],
    api_key: [app.apiKey],
    token: [...tokens, ...refresh],
    refresh_token: refresh,
    id: people.map(({ body }) => body.session.device_id as string),
    tenant: TENANTS,
    phone: ['+14155551300', '+998901111300', '+442071838750', '415 555 1301', '+1 (415) 555-1302'],
    email: [...emails, 'Fuzz0@Example.com', 'new@example.com'],
    to: ['+14155551300', 'fuzz0@example.com'],
    telegram_user_id: ['42'],
    verification_id: waiting,
    verification_code: codes,
    code: [...codes, ...logins.map(({ code }) => code)],
    login_id: logins.map(({ login }) => login),
    state: logins.map(({ state }) => state),
    redirect_uri: [BACK],
    init_data: [0, 1].map(() => telegram.sign(THIRD_PARTY_BOT, freshFields(app.clock.now()))),
    otp: codes,
    username: ['fuzz0', 'fuzz1', 'free.name'],
    first_name: ['Ада', "O'Neil", '😀'],
    locale: ['en', 'ru', 'uz-Latn-UZ'],
    scope: ['this', 'others'],
  };
}

/** Sends one request. Gives what is wrong with its answer, or undefined. */
async function complaintOf({ operation, path, headers, body }: HostileRequest): Promise<string | undefined> {
  const response = await fetch(app.url + path, {
    method: operation.method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  // A channel that is spent or not set up is a refusal that the contract answers with 503: nothing has failed.
  if (response.status >= 500 && !text.includes('"error":"CHANNEL_UNAVAILABLE"')) {
    return `answered ${response.status}`;
  }
  if (/node_modules|\.ts:\d+|\n\s+at /.test(text)) return 'shows its inside';
  try {
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    return operation.complaint({ status: response.status, headers: response.headers, body: parsed });
  } catch {
    return 'is no JSON';
  }
}

const statuses = new Map<number, number>();

test('no generated request makes the server fail, and every answer is one that its route declares', async (context) => {
  const operations = await readOperations(app);
  const anyRequest = async (round: number): Promise<fc.Arbitrary<HostileRequest>> => {
    const treasury = await fillTreasury(round);
    return fc.oneof(...operations.map((operation) => hostileRequests(operation, treasury)));
  };
  const complaints = new Map<string, string>();
  context.diagnostic(`FIRSTPROOF_FUZZ_SEED=${SEED}`);
  let any = await anyRequest(0);
  for (let sent = 0; sent < CASES; sent += AT_ONCE) {
    // Sessions end and codes are used up on the way.
    if (sent > 0 && sent % REFILL_EVERY === 0) any = await anyRequest(sent);
    const requests = fc.sample(any, { numRuns: AT_ONCE, seed: SEED + sent });
    await Promise.all(
      requests.map(async (request) => {
        const complaint = await complaintOf(request);
        if (complaint === undefined) return;
        const { method, path } = request.operation;
        complaints.set(
          `${method} ${path} ${complaint}`,
          JSON.stringify({ ...request, operation: undefined }),
        );
      }),
    );
  }
  const report = [...complaints].map(([what, request]) => `${what}: ${request.slice(0, 1500)}`);
  assert.deepEqual(report, [], `FIRSTPROOF_FUZZ_SEED=${SEED}`);
  // A fuzz that is refused at the door tests the door alone.
  for (const status of [200, 204, 400, 401, 404]) {
    // One call alone answers 204.
    assert.ok(
      (statuses.get(status) ?? 0) > CASES / (status === 204 ? 800 : 200),
      `few ${status}: ${JSON.stringify([...statuses])}`,
    );
  }
  assert.deepEqual(faults, []);
  assert.equal((await app.get('/health/ready')).status, 200);
});

test('the check of answers can fail', async () => {
  const operation = (await readOperations(app)).find(({ path }) => path === '/api/v1/auth/session');
  assert.ok(operation);
  const answer = await app.get('/api/v1/auth/session');
  assert.equal(operation.complaint(answer), undefined);
  assert.match(operation.complaint({ ...answer, status: 418 }) ?? '', /not declared/);
  assert.match(
    operation.complaint({ ...answer, body: { ...answer.body, error: 5 } }) ?? '',
    /breaks its schema/,
  );
  assert.match(operation.complaint({ ...answer, status: 200 }) ?? '', /breaks its schema/);
});
