import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { cookieHeader, createVisitor, signInByPages } from './visitor.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

test('S38 forms from other sites, without token or with another browser’s do nothing; also where nobody is signed in', async () => {
  const victim = createVisitor(app, '198.51.100.1');
  await victim.get('/sign-in?with=email');
  const attacker = createVisitor(app, '198.51.100.2');
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
      headers: { origin, cookie: cookieHeader(victim.cookies) },
      body: new URLSearchParams({ ...form, form_token: victim.token() }),
    });
    assert.equal(answer.status, 403, origin);
  }
  assert.equal(await app.newestMessage('victim@example.com'), undefined, 'nothing was sent');
  assert.equal((await victim.post('/sign-in', form)).status, 303, 'the own form is taken');
});

test('S38 nobody is signed in as somebody else: a flow or code of another browser opens nothing', async () => {
  const attacker = createVisitor(app, '198.51.100.3');
  await attacker.get('/sign-in?with=email');
  const sent = await attacker.post('/sign-in', { with: 'email', email: 'attacker@example.com' });
  const flow = new URL(sent.headers.get('location') ?? '', app.url).searchParams.get('flow') ?? '';
  const victim = createVisitor(app, '198.51.100.4');
  await victim.get('/sign-in');
  const answer = await victim.post('/verify', { flow, code: await app.code('attacker@example.com') });
  assert.equal(answer.status, 404);
  assert.ok(![...victim.cookies.keys()].includes('__Host-firstproof'));
});

test('S38 the session cookie is __Host-, Secure, HttpOnly, SameSite=Lax; a sign-out by GET or from elsewhere changes nothing', async () => {
  const person = createVisitor(app, '198.51.100.5');
  const answer = await signInByPages(app, person, 'cookie@example.com');
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
