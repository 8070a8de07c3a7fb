import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createVisitor, type Got } from './visitor.ts';

const PUBLIC = 'https://auth.test';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

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
  const visitor = createVisitor(app, '198.51.100.7');
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

test('S46 no address that a tenant names puts words of its own into the policy of the pages', async () => {
  const us = app.app.tenants.bySlug('us');
  assert.ok(us);
  const hosts = ['a;require-trusted-types-for', 'a;sandbox', 'a,b', '*'];
  for (const host of hosts) {
    const logo_url = `https://${host}/logo.png`;
    const refused = await app.request(
      'PATCH',
      '/api/v1/admin/tenants/us',
      { branding: { logo_url } },
      { headers: { 'x-api-key': app.apiKey } },
    );
    assert.equal(refused.status, 400, host);
    assert.equal(refused.body.issues[0].path, '/branding/logo_url');
    // As it may have been kept from before.
    await app.app.tenants.update(us, { branding: { logo_url } });
    const { headers } = await createVisitor(app, '198.51.100.10').get('/t/us/sign-in');
    const policy = headers.get('content-security-policy') ?? '';
    assert.doesNotMatch(policy, /[,*]|sandbox/, host);
    assert.match(policy, /; img-src 'self'; .*; require-trusted-types-for 'script'$/);
    assert.equal(policy.split('require-trusted-types-for').length, 2, host);
  }
  await app.app.tenants.update(us, { branding: { logo_url: 'https://cdn.example.com/logo.png' } });
  const { headers } = await createVisitor(app, '198.51.100.10').get('/t/us/sign-in');
  assert.match(headers.get('content-security-policy') ?? '', /img-src 'self' https:\/\/cdn\.example\.com;/);
});

test('S46 style and script may be kept for ever, and are what they say', async () => {
  const page = await createVisitor(app, '198.51.100.8').get('/sign-in');
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
  const person = createVisitor(app, '198.51.100.9');
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
