import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createVisitor, signInByPages } from './visitor.ts';

const RETURN = 'https://app.example.com/signed-in?from=auth';
const OWN_SCHEME = 'com.example.app:/signed-in';

let app: TestApp;
before(async () => {
  app = await createTestApp({ tenants: { default: { return_addresses: [RETURN, OWN_SCHEME] } } });
});
after(() => app.close());

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
  const visitor = createVisitor(app, '198.51.100.6');
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
    const answer = await signInByPages(
      app,
      createVisitor(app, `198.51.100.${20 + index}`),
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
    'https://app;form-action/',
    'https://*.example.com/',
    'https://app.example.com,b/',
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
