import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createClient, errorCodes, FirstproofError } from '../../sdk/src/client.ts';
import { PhoneAuth } from '../../sdk/src/phone-auth.ts';
import { errorCatalogue } from '../../src/kernel/errors.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

test('the five methods of flow C by their names, against a real server', async () => {
  const tenantId = app.app.tenants.bySlug('us')?.id ?? null;
  const { text: apiKey } = await app.app.apiKeys.create({ tenantId, name: 'bot', scopes: ['service'] });
  const auth = new PhoneAuth({ baseUrl: app.url, apiKey });
  const [first, second, phone] = ['910001', '910002', '+14155553001'];
  assert.equal(await auth.isPhoneNumberAuthorized(phone), false);
  assert.equal(await auth.getAuthByPhoneNumber(phone), null);
  await auth.sendOtp(first, phone);
  const code = await app.code(phone);
  assert.equal(await auth.verifyOtp(first, code === '111111' ? '222222' : '111111'), false);
  assert.equal(await auth.verifyOtp(second, code), false, 'not in another chat');
  for (const typed of ['12', 'abc', '', '1'.repeat(40)]) {
    assert.equal(await auth.verifyOtp(first, typed), false, `no code at all: ${typed}`);
  }
  await assert.rejects(auth.verifyOtp('-100', code), FirstproofError, 'a group is no answer to a code');
  assert.equal(await auth.verifyOtp(first, code), true);
  assert.equal(await auth.isPhoneNumberAuthorized(phone), true);
  const token = auth.authOf(first)?.access_token;
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  assert.equal((await auth.getAuthByPhoneNumber(phone))?.access_token, undefined);

  app.clock.advance(61);
  await auth.sendOtp(second, phone);
  const moved = await auth.signIn(second, await app.code(phone, { not: code }));
  assert.equal(moved.chat.moved_from, first);
  await auth.loadUserAuth(first);
  assert.equal(auth.authOf(first), undefined);
  assert.equal(auth.authOf(second)?.phone, phone);
  await auth.invalidateToken(second);
  assert.equal(await auth.isPhoneNumberAuthorized(phone), false);
  await assert.rejects(auth.sendOtp(second, 'nonsense'), (fault: unknown) => {
    assert.ok(fault instanceof FirstproofError);
    assert.equal(fault.code, 'INVALID_REQUEST');
    return fault.details.issues?.[0]?.path === '/phone';
  });
});

test('a client signs in, refreshes once for many calls at once, and forgets its tokens at the end', async () => {
  let refreshes = 0;
  const client = createClient({
    baseUrl: app.url,
    fetch: (url, init) => {
      if (typeof url === 'string' && url.endsWith('/refresh')) refreshes++;
      return fetch(url, init);
    },
  });
  const email = 'sdk@example.com';
  const sent = await client.sendVerification({ email });
  const done = await client.verifyCode({
    verification_id: sent.verification_id ?? '',
    code: await app.code(email),
  });
  assert.equal(done.is_new_user, true);
  app.clock.advance(901);
  const users = await Promise.all(Array.from({ length: 8 }, () => client.me()));
  assert.ok(users.every((user) => user.email === email));
  assert.equal(refreshes, 1);
  await client.logout();
  assert.equal(client.tokens, undefined);
});

test('503 is tried again after the time the server asks for, and told when it stays', async () => {
  const waits: number[] = [];
  let calls = 0;
  const client = createClient({
    baseUrl: app.url,
    wait: async (milliseconds) => void waits.push(milliseconds),
    fetch: async () => {
      calls++;
      return new Response('busy', { status: 503, headers: { 'retry-after': '2' } });
    },
  });
  await assert.rejects(
    client.me(),
    (fault: unknown) => fault instanceof FirstproofError && fault.status === 503,
  );
  assert.deepEqual([calls, waits], [3, [2000, 2000]]);
});

test('the error codes of the client are those of the server, and each path it calls is in the document', () => {
  assert.deepEqual([...errorCodes].sort(), Object.keys(errorCatalogue).sort());
  const root = join(import.meta.dirname, '..', '..');
  const { paths } = JSON.parse(readFileSync(join(root, 'docs/reference/openapi.json'), 'utf8'));
  const source = readFileSync(join(root, 'sdk/src/client.ts'), 'utf8');
  const called = Array.from(source.matchAll(/'(\/api\/v1\/[\w/-]+)'/g), (match) => match[1] ?? '');
  assert.ok(called.length >= 7);
  for (const path of called) assert.ok(paths[path], path);
  const chats = readFileSync(join(root, 'sdk/src/phone-auth.ts'), 'utf8');
  for (const [, call] of chats.matchAll(/chatPath\(chatId, '([\w-]+)'\)/g)) {
    assert.ok(paths[`/api/v1/telegram/chats/{chat_id}/${call}`], call);
  }
});

test('it builds to JavaScript and declarations that load without anything else', async () => {
  const root = join(import.meta.dirname, '..', '..');
  const out = mkdtempSync(join(tmpdir(), 'firstproof-sdk-'));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'sdk'), '--outDir', out]);
    const built = await import(join(out, 'phone-auth.js'));
    assert.equal(typeof built.PhoneAuth, 'function');
    assert.match(readFileSync(join(out, 'client.d.ts'), 'utf8'), /createClient/);
    assert.doesNotMatch(readFileSync(join(out, 'client.js'), 'utf8'), /from '(?!\.\/)/);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

test('a client past its free sends does the work by itself and sends again, once', async () => {
  const busy = await createTestApp({
    env: {
      FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '1',
      FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '2',
      FIRSTPROOF_CAPTCHA_PROVIDER: 'turnstile',
      FIRSTPROOF_CAPTCHA_SITE_KEY: 'site',
      FIRSTPROOF_CAPTCHA_SECRET: 'kept',
    },
    fetch: async (_url, init) => {
      const form = new URLSearchParams(await new Response(init?.body).text());
      return Response.json({ success: form.get('response') === 'person' && form.get('secret') === 'kept' });
    },
  });
  try {
    let calls = 0;
    const counted: typeof fetch = (url, init) => {
      calls++;
      return fetch(url, init);
    };
    const code = (expected: string) => (fault: unknown) =>
      fault instanceof FirstproofError && fault.code === expected;
    const blind = createClient({ baseUrl: busy.url, fetch: counted });
    await blind.sendVerification({ email: 'worker-1@example.com' });
    calls = 0;
    await assert.rejects(
      blind.sendVerification({ email: 'worker-2@example.com' }),
      code('PROOF_OF_WORK_REQUIRED'),
    );
    assert.equal(calls, 1, 'nobody is there to show the CAPTCHA to');

    const wrong = createClient({ baseUrl: busy.url, fetch: counted, onCaptcha: async () => 'robot' });
    calls = 0;
    await assert.rejects(
      wrong.sendVerification({ email: 'worker-2@example.com' }),
      code('PROOF_OF_WORK_REQUIRED'),
    );
    assert.equal(calls, 2);

    const client = createClient({
      baseUrl: busy.url,
      onCaptcha: async ({ provider, site_key: key }) =>
        provider === 'turnstile' && key === 'site' ? 'person' : '',
    });
    const sent = await client.sendVerification({ email: 'worker-2@example.com' });
    assert.ok(sent.verification_id);
    await assert.rejects(client.sendVerification({ email: 'worker-3@example.com' }), code('RATE_LIMITED'));
  } finally {
    await busy.close();
  }
});
