import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { SignJWT, UnsecuredJWT } from 'jose';
import { createTestApp, type RequestOptions, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';
import { createFakeLogin, LOGIN_CLIENT, type LoginPerson } from '../telegram/fake-login.ts';

const PATH = '/api/v1/auth/telegram/oidc';
const PAGES = 'https://auth.test';
const BACK = 'https://app.example/back';
const START = new Date('2026-03-01T12:00:00.000Z');

let seconds = (): number => START.getTime() / 1000;
const fake = await createFakeLogin(() => Math.floor(seconds()));
const usual = { ...fake.state };
let app: TestApp;
before(async () => {
  app = await createTestApp({
    start: START,
    fetch: fake.fetch,
    providerTimeoutMilliseconds: 300,
    env: {
      TELEGRAM_LOGIN_CLIENT_ID: LOGIN_CLIENT.id,
      TELEGRAM_LOGIN_CLIENT_SECRET: LOGIN_CLIENT.secret,
    },
    tenants: { default: { telegram_sign_in: { return_addresses: [BACK] } } },
  });
  seconds = () => app.clock.now().getTime() / 1000;
});
afterEach(() => Object.assign(fake.state, usual, { claims: {} }));
after(() => app.close());

let lastId = 940_000_000;
const newPerson = (more: Partial<LoginPerson> = {}): LoginPerson => ({
  id: ++lastId,
  name: 'Mia Wong',
  ...more,
});
let lastPhone = 3000;
const newPhone = (): string => `1415555${++lastPhone}`;

/** A number of a market would belong to that market. */
const here = { headers: { 'x-tenant': 'default' } };

async function begin(options: RequestOptions = {}): Promise<{ login_id: string; url: string }> {
  const { status, body } = await app.post(PATH, { redirect_uri: BACK }, { from: newCaller(), ...options });
  assert.equal(status, 200, JSON.stringify(body));
  return { login_id: body.login_id, url: body.authorization_url };
}

const complete = (body: Record<string, unknown>, options: RequestOptions = {}) =>
  app.post(`${PATH}/complete`, body, { from: newCaller(), ...options });

async function signIn(person: LoginPerson, options: RequestOptions = {}) {
  const { login_id, url } = await begin(options);
  return complete({ login_id, ...fake.approve(url, person) }, options);
}

async function refused(body: Record<string, unknown>, options: RequestOptions = {}): Promise<void> {
  const answer = await complete(body, options);
  assert.deepEqual(
    [answer.status, answer.body.error],
    [401, 'TELEGRAM_DATA_INVALID'],
    JSON.stringify(answer.body),
  );
}

test('S41 Telegram login proves the account and its phone: one account, made by one consumed verification', async () => {
  const phone = newPhone();
  const answer = await signIn(newPerson({ phone_number: phone, preferred_username: 'mia_w' }));
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { user } = answer.body;
  assert.deepEqual(
    [user.phone, user.telegram_user_id, user.first_name, user.last_name, user.username],
    [`+${phone}`, String(lastId), 'Mia', 'Wong', 'mia_w'],
  );
  const events = await app.databases.control.sql`
    select action from audit_events where actor = ${`user:${user.id}`} order by action`;
  assert.deepEqual(
    events.map(({ action }) => action),
    ['identity.linked', 'user.created', 'user.signed_in'],
  );
  const proofs = await app.databases.control.sql`
    select kind, purpose, consumed_at is not null as consumed from verifications
    where value in (${user.phone}, ${user.telegram_user_id}) order by kind`;
  assert.deepEqual(
    proofs.map((row) => Object.values(row)),
    [
      ['phone', 'link', true],
      ['telegram', 'sign_in', true],
    ],
  );
  const me = await app.get('/api/v1/auth/me', { token: answer.body.access_token });
  assert.equal(me.body.user.id, user.id);
});

test('S41 what Telegram is asked: code with PKCE S256, a short state, its number only where numbers may be proved so', async () => {
  const { url } = await begin();
  const query = new URL(url).searchParams;
  assert.equal(query.get('client_id'), LOGIN_CLIENT.id);
  assert.equal(query.get('redirect_uri'), BACK);
  assert.equal(query.get('scope'), 'openid profile phone');
  assert.match(query.get('state') ?? '', /^[\w-]{24}$/);
  assert.match(query.get('nonce') ?? '', /^[\w-]{24}$/);
  assert.doesNotMatch(url, new RegExp(LOGIN_CLIENT.secret));
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  await app.app.tenants.update(tenant, {
    settings: { ...tenant.settings, telegram: { contact_proves_phone: false } },
  });
  const without = new URL((await begin()).url).searchParams;
  assert.equal(without.get('scope'), 'openid profile');
  await app.app.tenants.update(tenant, { settings: tenant.settings });
});

test('S41 somebody who comes again is the same account, and keeps the names they have', async () => {
  const person = newPerson({ phone_number: newPhone() });
  const first = await signIn(person);
  const again = await signIn({ ...person, name: 'Somebody Else' });
  assert.deepEqual([first.status, again.status], [201, 200]);
  assert.equal(again.body.user.id, first.body.user.id);
  assert.equal(again.body.user.first_name, 'Mia');
  assert.equal(again.body.user.identities.length, 2);
});

test('S41 a number that has an account signs in to it, and the Telegram account is added', async () => {
  const phone = newPhone();
  const owner = await app.signIn({ phone: `+${phone}` }, {}, { from: newCaller(), ...here });
  const answer = await signIn(newPerson({ phone_number: phone }));
  assert.equal(answer.status, 200);
  assert.equal(answer.body.user.id, owner.body.user.id);
  assert.equal(answer.body.user.telegram_user_id, String(lastId));
});

test('S35 a number whose account lay idle does not open it: Telegram makes an account without the number', async () => {
  const phone = newPhone();
  const owner = await app.signIn({ phone: `+${phone}` }, {}, { from: newCaller(), ...here });
  app.clock.advance(91 * 86_400);
  const answer = await signIn(newPerson({ phone_number: phone }));
  assert.deepEqual([answer.status, answer.body.user?.phone], [201, null]);
  assert.notEqual(answer.body.user.id, owner.body.user.id);
});

test('S41 two accounts are never merged: a number that is somebody else’s stays theirs', async () => {
  const person = newPerson();
  const first = await signIn(person);
  const phone = newPhone();
  const owner = await app.signIn({ phone: `+${phone}` }, {}, { from: newCaller(), ...here });
  const answer = await signIn({ ...person, phone_number: phone });
  assert.equal(answer.body.user.id, first.body.user.id);
  assert.equal(answer.body.user.phone, null);
  const me = await app.get('/api/v1/auth/me', { token: owner.body.access_token });
  assert.equal(me.body.user.phone, `+${phone}`);
});

test('S41 a number that Telegram has not verified, or that was not asked for, proves nothing', async () => {
  fake.state.claims = { phone_number_verified: false };
  const unverified = await signIn(newPerson({ phone_number: newPhone() }));
  assert.deepEqual([unverified.status, unverified.body.user.phone], [201, null]);
  const member = await app.signIn({ email: 'adds-telegram@example.com' }, {}, { from: newCaller() });
  fake.state.claims = { phone_number: newPhone() };
  const { login_id, url } = await begin({ token: member.body.access_token });
  const answer = fake.approve(url, newPerson());
  const linked = await complete({ login_id, ...answer }, { token: member.body.access_token });
  assert.equal(linked.status, 200, JSON.stringify(linked.body));
  assert.deepEqual([linked.body.user.telegram_user_id, linked.body.user.phone], [String(lastId), null]);
});

test('S41 the state of another browser is worth nothing: neither a stranger’s answer here, nor ours there', async () => {
  const [victim, attacker] = [await begin(), await begin()];
  const answer = fake.approve(attacker.url, newPerson());
  // Login CSRF: the attacker's answer is put before the victim's browser.
  await refused({ login_id: victim.login_id, ...answer });
  await refused({
    login_id: victim.login_id,
    ...answer,
    state: new URL(victim.url).searchParams.get('state'),
  });
  // Injection: the victim's code, stolen on its way back, in the attacker's browser.
  const stolen = fake.approve(victim.url, newPerson());
  await refused({ login_id: attacker.login_id, ...stolen });
  await refused({
    login_id: attacker.login_id,
    code: stolen.code,
    state: new URL(attacker.url).searchParams.get('state'),
  });
  await refused({ login_id: `${victim.login_id.slice(0, -2)}AA`, ...stolen });
  await refused({ login_id: 'fpo_', ...stolen });
});

test('S41 the state alone keeps browsers apart, should PKCE and nonce not', async () => {
  Object.assign(fake.state, { keepsPkce: false, echoesNonce: false });
  const [victim, attacker] = [await begin(), await begin()];
  const answer = fake.approve(attacker.url, newPerson());
  await refused({ login_id: victim.login_id, ...answer });
  assert.equal((await complete({ login_id: attacker.login_id, ...answer })).status, 201);
});

test('S41 PKCE alone binds a code to its browser, should state and nonce not', async () => {
  fake.state.echoesNonce = false;
  const [victim, attacker] = [await begin(), await begin()];
  const { code } = fake.approve(attacker.url, newPerson());
  await refused({ login_id: victim.login_id, code, state: new URL(victim.url).searchParams.get('state') });
});

test('S41 it works once, even if Telegram took its code again, and of twenty at once one signs in', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  assert.equal((await complete({ login_id, ...answer })).status, 201);
  await refused({ login_id, ...answer });
  fake.state.codesWorkAgain = true;
  const second = await begin();
  const again = fake.approve(second.url, newPerson({ phone_number: newPhone() }));
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => complete({ login_id: second.login_id, ...again })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).sort((left, right) => left - right),
    [201, ...Array.from({ length: 19 }, () => 401)],
  );
});

test('S41 a token with another nonce, audience, issuer or number of the person, or out of its time, is refused', async () => {
  const wrong: Record<string, unknown>[] = [
    { nonce: 'another' },
    { nonce: '' },
    { aud: '1234' },
    { aud: [LOGIN_CLIENT.id, '1234'] },
    { iss: 'https://oauth.telegram.example' },
    { exp: Math.floor(seconds()) - 60 },
    { exp: undefined },
    { iat: undefined },
    { sub: undefined },
    { id: undefined },
    { id: 0 },
    { id: '-7' },
    { id: 'me' },
  ];
  for (const claims of wrong) {
    fake.state.claims = claims;
    const { login_id, url } = await begin();
    await refused({ login_id, ...fake.approve(url, newPerson()) });
  }
});

test('S41 a token without a nonce counts, as Telegram’s do, bound by PKCE alone', async () => {
  fake.state.echoesNonce = false;
  assert.equal((await signIn(newPerson())).status, 201);
  assert.equal(
    fake.requests
      .filter(({ path }) => path === '/token')
      .at(-1)
      ?.body.get('code_verifier')?.length,
    43,
  );
});

test('S41 a token that is unsigned, signed by another key or symmetrically is refused', async () => {
  const forges: NonNullable<typeof fake.state.forge>[] = [
    async (claims) => new UnsecuredJWT(claims).encode(),
    (claims, { foreign }) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'oidc-1' }).sign(foreign),
    (claims, { foreign }) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'oidc-1', jku: 'https://evil.example/keys' })
        .sign(foreign),
    (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'oidc-1' })
        .sign(Buffer.from(LOGIN_CLIENT.secret.padEnd(32, '.'))),
    async () => 'no.token.atall',
  ];
  for (const forge of forges) {
    fake.state.forge = forge;
    const { login_id, url } = await begin();
    await refused({ login_id, ...fake.approve(url, newPerson()) });
  }
  assert.ok(fake.requests.every(({ path }) => !path.includes('evil')));
});

test('S41 mix-up: the answer of another issuer, or of another tenant’s sign-in, is refused', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  await refused({ login_id, ...answer, iss: 'https://evil.example' });
  const other = { headers: { 'x-tenant': 'us' } };
  await refused({ login_id, ...answer }, other);
  assert.equal((await complete({ login_id, ...answer, iss: 'https://oauth.telegram.org' })).status, 201);
  const closed = await app.post(PATH, { redirect_uri: BACK }, other);
  assert.deepEqual([closed.status, closed.body.error], [503, 'CHANNEL_UNAVAILABLE']);
});

test('S41 it is over after ten minutes', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  app.clock.advance(600);
  const late = await complete({ login_id, ...answer });
  assert.deepEqual([late.status, late.body.error], [410, 'LINK_EXPIRED']);
});

test('S39 Telegram leads back to the addresses that the tenant has named, letter for letter', async () => {
  for (const redirect_uri of [
    `${BACK}/`,
    `${BACK}?x=1`,
    'https://app.example.evil/back',
    'javascript:alert(1)',
    '/back',
  ]) {
    const { status, body } = await app.post(PATH, { redirect_uri }, { from: newCaller() });
    assert.deepEqual([status, body.issues?.[0].path], [400, '/redirect_uri'], redirect_uri);
  }
});

test('linking wants a fresh proof, the session that began it, and a Telegram account that is nobody’s', async () => {
  const member = await app.signIn({ email: 'links-by-login@example.com' }, {}, { from: newCaller() });
  const token = member.body.access_token as string;
  const { login_id, url } = await begin({ token });
  const answer = fake.approve(url, newPerson());
  assert.equal((await complete({ login_id, ...answer })).status, 401);
  const stranger = await app.signIn({ email: 'stranger-by-login@example.com' }, {}, { from: newCaller() });
  const theirs = await complete({ login_id, ...answer }, { token: stranger.body.access_token });
  assert.equal(theirs.status, 401);
  assert.equal((await complete({ login_id, ...answer }, { token })).status, 200);
  const taken = await begin({ token: stranger.body.access_token });
  const again = fake.approve(taken.url, { id: lastId });
  const refusedLink = await complete(
    { login_id: taken.login_id, ...again },
    { token: stranger.body.access_token },
  );
  assert.deepEqual([refusedLink.status, refusedLink.body.error], [409, 'ALREADY_REGISTERED']);
  app.clock.advance(301);
  const stale = await app.post(PATH, { redirect_uri: BACK }, { token, from: newCaller() });
  assert.deepEqual([stale.status, stale.body.error], [403, 'STEP_UP_REQUIRED']);
});

test('R03 Telegram away, broken or silent: 503 in time, nothing is used up, and everything else goes on', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  for (const mode of ['down', 'broken', 'hang'] as const) {
    fake.state.mode = mode;
    const waiting = complete({ login_id, ...answer });
    assert.equal((await app.get('/health/ready')).status, 200);
    const { status, body } = await waiting;
    assert.deepEqual([status, body.error], [503, 'CHANNEL_UNAVAILABLE'], mode);
  }
  fake.state.mode = 'up';
  assert.equal((await complete({ login_id, ...answer })).status, 201);
});

/** A browser before the hosted pages: its cookies, and the form that the last page had. */
function createBrowser() {
  const cookies = new Map<string, string>();
  const from = newCaller();
  let token = '';
  async function send(path: string, form?: Record<string, string>, site = 'same-origin') {
    const response = await fetch(app.url + path, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        'x-forwarded-for': from,
        'sec-fetch-site': site,
      },
      ...(form ? { body: new URLSearchParams({ form_token: token, ...form }) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    const text = await response.text();
    token = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? token;
    return { status: response.status, headers: response.headers, text };
  }
  return { send, go: (path: string) => send(path), cookies };
}

/** What Telegram would open in this browser after the person has said yes. */
async function leave(browser: ReturnType<typeof createBrowser>, person: LoginPerson): Promise<string> {
  const page = await browser.go('/sign-in?with=telegram');
  assert.match(page.text, /Telegram’s own page/);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /form-action 'self' https:\/\/oauth\.telegram\.org;/);
  const left = await browser.send('/telegram/login', {});
  assert.equal(left.status, 303);
  const target = left.headers.get('location') ?? '';
  assert.equal(new URL(target).searchParams.get('redirect_uri'), 'https://auth.test/telegram/back');
  return `/telegram/back?${new URLSearchParams(fake.approve(target, person)).toString()}`;
}

test('S38 the hosted pages lead to Telegram and back: signed in is the browser that began, once', async () => {
  const [browser, other] = [createBrowser(), createBrowser()];
  const back = await leave(browser, newPerson());
  const elsewhere = await other.send(back, undefined, 'cross-site');
  assert.equal(elsewhere.status, 410, 'an answer put before another browser is nothing');
  const done = await browser.send(back, undefined, 'cross-site');
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/account'], done.text);
  assert.match((await browser.go('/account')).text, /Mia/);
  assert.equal((await browser.go(back)).status, 410);
  assert.equal((await other.go('/account')).status, 303);
});

test('S38 who says no at Telegram is told so, and is nobody; without a client there is no such button', async () => {
  const browser = createBrowser();
  const back = await leave(browser, newPerson());
  const state = new URL(back, PAGES).searchParams.get('state') ?? '';
  const denied = await browser.go(`/telegram/back?error=access_denied&state=${state}`);
  assert.equal(denied.status, 403);
  assert.equal((await browser.go('/account')).status, 303);
  const elsewhere = await createBrowser().go('/t/us/sign-in?with=telegram');
  assert.doesNotMatch(elsewhere.text, /telegram\/login/);
  assert.doesNotMatch(elsewhere.headers.get('content-security-policy') ?? '', /oauth\.telegram/);
});
