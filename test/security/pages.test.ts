import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createVisitor as createVisitorOf, type Got, type Visitor } from './visitor.ts';

const RETURN = 'https://app.example.com/signed-in?from=auth';
const OWN_SCHEME = 'com.example.app:/signed-in';
const PUBLIC = 'https://auth.test';
let app: TestApp;
const createVisitor = (from: string): Visitor => createVisitorOf(app, from);

before(async () => {
  app = await createTestApp({ tenants: { default: { return_addresses: [RETURN, OWN_SCHEME] } } });
});
after(() => app.close());

async function signIn(visitor: Visitor, email: string, returnTo?: string): Promise<Got> {
  const query = returnTo === undefined ? '' : `&return_to=${encodeURIComponent(returnTo)}`;
  await visitor.get(`/sign-in?with=email&another=1${query}`);
  const form = { with: 'email', email, ...(returnTo === undefined ? {} : { return_to: returnTo }) };
  const sent = await visitor.post('/sign-in', form);
  assert.equal(sent.status, 303, sent.text.slice(0, 3000));
  const path = sent.headers.get('location') ?? '';
  const flow = new URL(path, app.url).searchParams.get('flow') ?? '';
  await visitor.get(path);
  return visitor.post('/verify', { flow, code: await app.code(email) });
}

test('S38 forms from other sites, without token or with another browser’s do nothing; also where nobody is signed in', async () => {
  const victim = createVisitor('198.51.100.1');
  await victim.get('/sign-in?with=email');
  const attacker = createVisitor('198.51.100.2');
  await attacker.get('/sign-in?with=email');
  const form = { with: 'email', email: 'victim@example.com' };
  const attempts: [string, Record<string, string>, Record<string, string>][] = [
    ['another site', form, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a neighbouring host', form, { 'sec-fetch-site': 'same-site', origin: 'https://evil.auth.test' }],
    ['no token', { ...form, form_token: '' }, {}],
    ['the token of another browser', { ...form, form_token: attacker.token() }, {}],
  ];
  for (const [what, body, headers] of attempts) {
    const answer = await victim.post('/sign-in', body, headers);
    assert.equal(answer.status, 403, what);
    assert.match(answer.headers.get('content-type') ?? '', /text\/html/, what);
  }
  // An older browser says only the origin.
  for (const origin of ['https://evil.example', 'https://auth.test.evil.example', 'http://auth.test']) {
    const answer = await fetch(`${app.url}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin, cookie: [...victim.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: new URLSearchParams({ ...form, form_token: victim.token() }),
    });
    assert.equal(answer.status, 403, origin);
  }
  assert.equal(await app.newestMessage('victim@example.com'), undefined, 'nothing was sent');
  assert.equal((await victim.post('/sign-in', form)).status, 303, 'the own form is taken');
});

test('S38 nobody is signed in as somebody else: a flow or code of another browser opens nothing', async () => {
  const attacker = createVisitor('198.51.100.3');
  await attacker.get('/sign-in?with=email');
  const sent = await attacker.post('/sign-in', { with: 'email', email: 'attacker@example.com' });
  const flow = new URL(sent.headers.get('location') ?? '', app.url).searchParams.get('flow') ?? '';
  const victim = createVisitor('198.51.100.4');
  await victim.get('/sign-in');
  const answer = await victim.post('/verify', { flow, code: await app.code('attacker@example.com') });
  assert.equal(answer.status, 404);
  assert.ok(![...victim.cookies.keys()].includes('__Host-firstproof'));
});

test('S38 the session cookie is __Host-, Secure, HttpOnly, SameSite=Lax; a sign-out by GET or from elsewhere changes nothing', async () => {
  const person = createVisitor('198.51.100.5');
  const answer = await signIn(person, 'cookie@example.com');
  const line = answer.headers.getSetCookie().find((each) => each.startsWith('__Host-firstproof='));
  assert.match(
    line ?? '',
    /^__Host-firstproof=fps_[\w-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
  );
  for (const each of answer.headers.getSetCookie())
    assert.match(each, /^__Host-.*HttpOnly; SameSite=Lax; Secure$/);
  await person.get('/sign-out');
  const foreign = await person.post('/sign-out', { scope: 'all' }, { 'sec-fetch-site': 'cross-site' });
  assert.equal(foreign.status, 403);
  assert.equal((await person.get('/account')).status, 200);
  const check = await fetch(`${app.url}/api/v1/auth/check`, {
    headers: { cookie: `__Host-firstproof=${person.cookies.get('__Host-firstproof')}` },
  });
  assert.equal(check.status, 204, 'a reverse proxy recognises the cookie');
});

/** Ways to write another place so that a careless comparison takes it for the registered one. */
function evilAddresses(): string[] {
  const fixed = [
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '\\\\evil.example',
    '/\\evil.example',
    '\\/evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:///evil.example',
    'https:\\\\evil.example',
    'http://evil.example',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\tscript:alert(1)',
    'java\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    ' javascript:alert(1)',
    'javascript://app.example.com/%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    'blob:https://app.example.com/1',
    'file:///etc/passwd',
    'about:blank',
    'view-source:https://app.example.com/',
    'com.example.app:/signed-in#',
    'com.example.app://signed-in',
    'com.example.app:signed-in',
    'COM.EXAMPLE.APP:/signed-in',
    'com.example.evil:/signed-in',
    'com.example.app:/signed-in/',
    'intent://signed-in#Intent;scheme=com.example.app;end',
    '/',
    '/account/',
    '/account?x=1',
    '/account#x',
    '/account/..//evil.example',
    '/account/devices/../../evil',
    '/Account',
    'account',
    './account',
    '../account',
    '/%61ccount',
    '/account%2f',
    '/account\\',
    '/t/us/account',
    '/dev/messages',
    RETURN.toUpperCase(),
    RETURN.slice(0, -1),
    `${RETURN}&x=1`,
    `${RETURN}#x`,
    `${RETURN}/`,
    ` ${RETURN}`,
    `${RETURN} `,
    `${RETURN}\n`,
    `${RETURN}\r\nlocation: https://evil.example`,
    `${RETURN}\0`,
    `${RETURN}?`,
    RETURN.replace('https', 'http'),
    RETURN.replace('/signed-in', '//signed-in'),
    RETURN.replace('/signed-in', '/./signed-in'),
    RETURN.replace('/signed-in', '/x/../signed-in'),
    RETURN.replace('/signed-in', '/%73igned-in'),
    RETURN.replace('signed-in', 'Signed-In'),
    RETURN.replace('from=auth', 'from=%61uth'),
    RETURN.replace('?', '%3f'),
    RETURN.replace('example.com', 'example.com:443'),
    RETURN.replace('example.com', 'example.com:8443'),
    RETURN.replace('example.com', 'example.com.'),
    RETURN.replace('app.', 'APP.'),
    'null',
    'undefined',
    '0',
    'true',
    '[object Object]',
  ];
  const hosts = [
    'evil.example',
    'app.example.com.evil.example',
    'app.example.com@evil.example',
    'app.example.com:x@evil.example',
    'evil.example#app.example.com',
    'evil.example?app.example.com',
    'evil.example/app.example.com',
    'evil.example\\app.example.com',
    'evil.example%23app.example.com',
    'evil.example%2fapp.example.com',
    'evil.example%00app.example.com',
    'app.example.com%2eevil.example',
    'app.example.com%40evil.example',
    'xapp.example.com',
    'app-example.com',
    'app.example.co',
    'app.example.comm',
    'a.pp.example.com',
    'app。example。com',
    'app．example．com',
    'ａpp.example.com',
    'app.еxample.com',
    'app.examp\u200ble.com',
    'app.example.com\u2024evil.example',
    'evil.example／app.example.com',
    'app.example.com＠evil.example',
    '127.0.0.1',
    '[::1]',
    '0x7f000001',
    '2130706433',
    'localhost',
    'user@app.example.com',
    'user:password@app.example.com',
    '@app.example.com',
    ':@app.example.com',
    'app.example.com:0',
    'app.example.com:',
  ];
  const paths = ['/signed-in?from=auth', '/', '', '/signed-in?from=auth#'];
  return [...fixed, ...hosts.flatMap((host) => paths.map((path) => `https://${host}${path}`))];
}

test('S39 of more than 200 addresses that are not registered none is followed, linked to or shown', async () => {
  const evil = evilAddresses();
  assert.ok(evil.length > 200, String(evil.length));
  const visitor = createVisitor('198.51.100.6');
  await visitor.get('/sign-in?with=email');
  for (const address of evil) {
    const query = `return_to=${encodeURIComponent(address)}`;
    const shown = await visitor.get(`/sign-in?with=email&${query}`);
    assert.equal(shown.status, 400, JSON.stringify(address));
    assert.equal(shown.headers.get('location'), null, JSON.stringify(address));
    assert.ok(!shown.text.includes('evil.example'), JSON.stringify(address));
    assert.doesNotMatch(shown.headers.get('content-security-policy') ?? '', /evil|app\.example/);
  }
  for (const address of evil.slice(0, 60)) {
    await visitor.get('/sign-in?with=email');
    const taken = await visitor.post('/sign-in', {
      with: 'email',
      email: 'evil@example.com',
      return_to: address,
    });
    assert.equal(taken.status, 400, JSON.stringify(address));
  }
  for (const path of ['/sign-up', '/forgot']) {
    assert.equal((await visitor.get(`${path}?return_to=https://evil.example/`)).status, 400, path);
  }
  assert.equal(
    (await visitor.get(`/sign-in?return_to=${encodeURIComponent(RETURN)}&return_to=//evil.example`)).status,
    400,
  );
  assert.equal(await app.newestMessage('evil@example.com'), undefined);
});

test('S39 the registered addresses are followed, letter for letter, by 303', async () => {
  for (const [index, address] of [RETURN, OWN_SCHEME].entries()) {
    const answer = await signIn(
      createVisitor(`198.51.100.${20 + index}`),
      `return-${index}@example.com`,
      address,
    );
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('location'), address);
  }
});

test('S39 a tenant cannot register what browsers read as script, with a user, a fragment or another spelling', async () => {
  const put = (address: string) =>
    app.request(
      'PATCH',
      '/api/v1/admin/tenants/us',
      { settings: { return_addresses: [address] } },
      { headers: { 'x-api-key': app.apiKey } },
    );
  for (const address of [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://app.example.com/',
    'https://app.example.com',
    'https://user@app.example.com/',
    'https://app.example.com/#x',
    'https://APP.example.com/',
    'https://app.example.com:443/',
    '//app.example.com/',
    '/account',
    'https://еxample.com/',
    'myapp:/x',
    'https:\\\\app.example.com/',
    'https://app.example.com/a/../b',
  ]) {
    const answer = await put(address);
    assert.equal(answer.status, 400, address);
    assert.match(answer.body.issues[0].path, /return_addresses\/0$/, address);
  }
  for (const address of [
    'https://app.example.com/',
    'http://localhost:5173/callback',
    'com.example.app:/x',
  ]) {
    assert.equal((await put(address)).status, 200, address);
  }
});

const PAGES = [
  '/sign-in',
  '/sign-up',
  '/forgot',
  '/reset',
  '/verify',
  '/sign-out',
  '/t/us/sign-in',
  '/t/nobody/sign-in',
  '/t/us/nothing',
  '/nothing',
  '/sign-in?return_to=//evil.example',
  '/sign-in?x=%00',
  '/',
];

test('S46 every page answers with the headers that keep it from being framed, scripted, kept or sniffed; errors too', async () => {
  const visitor = createVisitor('198.51.100.7');
  const answers = new Map<string, Got>();
  for (const path of PAGES) answers.set(path, await visitor.get(path));
  answers.set(
    'a form from elsewhere',
    await visitor.post('/sign-in', {}, { 'sec-fetch-site': 'cross-site' }),
  );
  answers.set('too much text', await visitor.post('/sign-in', { email: 'x'.repeat(600_000) }));
  for (const [what, { headers, text }] of answers) {
    const policy = headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "form-action 'self'",
    ]) {
      assert.ok(policy.split('; ').includes(rule), `${what}: ${rule}: ${policy}`);
    }
    assert.doesNotMatch(policy, /unsafe|\*|data:|http:/, what);
    assert.match(headers.get('strict-transport-security') ?? '', /max-age=(\d{8,}); includeSubDomains/, what);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', what);
    assert.equal(headers.get('referrer-policy'), 'no-referrer', what);
    assert.equal(headers.get('cache-control'), 'no-store', what);
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', what);
    assert.match(headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/, what);
    assert.doesNotMatch(text, /<script(?![^>]* src=)|<style| style="| on\w+="|"statusCode"|\n {4}at /, what);
    assert.match(text, /<h1>[^<]+<\/h1>/, what);
  }
});

test('S46 style and script may be kept for ever, and are what they say', async () => {
  const page = await createVisitor('198.51.100.8').get('/sign-in');
  const assets = [...page.text.matchAll(/(?:href|src)="(\/pages\/[^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(assets.length >= 3);
  for (const path of assets) {
    const answer = await fetch(app.url + path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable', path);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
  }
  for (const path of [
    '/pages/../app.ts',
    '/pages/pages.css',
    '/pages/brand-zzzzzz.css',
    '/pages/%2e%2e%2fapp.ts',
  ]) {
    assert.equal((await fetch(app.url + path)).status, 404, path);
  }
});

test('S16 no header of a request reaches a message, a link or a redirect', async () => {
  const evil = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'gopher',
    'x-forwarded-port': '666',
    'x-original-url': 'https://evil.example/',
    'x-rewrite-url': '/evil.example',
    forwarded: 'host=evil.example;proto=gopher',
    referer: 'https://evil.example/',
    'x-tenant': 'us',
  };
  const person = createVisitor('198.51.100.9');
  await person.get('/sign-in?with=email', evil);
  for (const [path, form] of [
    ['/sign-in', { with: 'email', email: 'host-1@example.com' }],
    ['/sign-up', { with: 'email', email: 'host-2@example.com' }],
  ] as const) {
    const answer = await person.post(path, form, evil);
    assert.equal(answer.status, 303);
    assert.match(answer.headers.get('location') ?? '', /^\/verify\?flow=[\w-]{8}$/);
    const next = await person.get(answer.headers.get('location') ?? '', evil);
    assert.doesNotMatch(next.text, /evil\.example|gopher/);
    for (const [, address = ''] of next.text.matchAll(/(?:href|action|src)="([^"]*)"/g)) {
      assert.ok(/^(?:\/(?!\/)|#)/.test(address) || address.startsWith(PUBLIC), address);
    }
    await app.code(form.email);
    const { body } = await app.get(`/dev/messages?to=${form.email}`);
    assert.doesNotMatch(JSON.stringify(body), /evil\.example|gopher|https?:\/\/(?!auth\.test)/);
  }
  // The address a proxy or a browser believes it calls is no reason to make a link of it either.
  const { port } = new URL(app.url);
  const page = await rawGet(Number(port), '/sign-in', 'evil.example');
  assert.doesNotMatch(page, /evil\.example/);
});

/** fetch would not let another Host be sent. */
async function rawGet(port: number, path: string, host: string): Promise<string> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    request({ port, path, headers: { host, accept: 'text/html' } }, (response) => {
      let text = JSON.stringify(response.headers);
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
