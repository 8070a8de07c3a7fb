import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { createClient } from '../../sdk/src/client.ts';
import { PhoneAuth } from '../../sdk/src/phone-auth.ts';
import type { TestApp } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser, violationsOf } from './browser.ts';

let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([startBrowser(), createPagesApp()]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };

test('the inbox is empty, then shows each message as it comes, its code one press from the clipboard', async () => {
  const { context, page, foreign } = await openContext(browser, app, clipboard);
  await page.goto('/dev/inbox');
  await page.getByRole('heading', { name: 'Nothing was sent yet' }).waitFor();
  assert.match(
    await page.locator('pre').innerText(),
    new RegExp(`${new URL(page.url()).origin}/api/v1/auth`),
  );
  await app.post('/api/v1/auth/send-verification', { email: 'grace@example.com' });
  const code = await app.code('grace@example.com');
  await page.getByRole('heading', { name: 'grace@example.com' }).waitFor();
  const letter = page.frameLocator('iframe');
  assert.match(await letter.locator('body').innerText(), new RegExp(code));
  const narrow = (await page.locator('iframe').boundingBox())?.width ?? 0;
  await page.getByText('Desktop', { exact: true }).click();
  assert.ok(((await page.locator('iframe').boundingBox())?.width ?? 0) > narrow);
  await page.getByText('Plain text', { exact: true }).click();
  assert.match(await page.locator('pre.plain').innerText(), new RegExp(code));
  await page.getByRole('button', { name: 'Copy the code' }).last().click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), code);
  assert.deepEqual(foreign, []);
  await context.close();
});

test('one recipient, one channel, one message; and what is not there says so, without JavaScript too', async () => {
  await app.post('/api/v1/auth/send-verification', { phone: '+14155552671' });
  await app.code('+14155552671');
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  await page.goto('/dev/inbox?to=%2B14155552671');
  assert.equal(await page.locator('.item').count(), 1);
  assert.match(await page.locator('.bubble').innerText(), /is your .* code/);
  await page.goto('/dev/inbox?channel=voice');
  await page.getByRole('heading', { name: 'Nothing for this' }).waitFor();
  for (const id of [
    '01890a5d-ac96-774b-bcce-b302099a8057',
    "'; drop table users; --",
    '%00',
    'x'.repeat(9000),
  ]) {
    const response = await page.goto(`/dev/inbox?message=${encodeURIComponent(id)}`);
    assert.ok([200, 400].includes(response?.status() ?? 0), `${id.slice(0, 20)}: ${response?.status()}`);
  }
  await page.goto('/dev/inbox?message=01890a5d-ac96-774b-bcce-b302099a8057');
  await page.getByRole('heading', { name: 'This message is gone' }).waitFor();
  assert.equal((await page.goto('/dev/inbox/nothing/letter'))?.status(), 404);
  await context.close();
});

test('the inbox finds a number in whatever form, and a channel behind many messages of another', async () => {
  await app.post('/api/v1/auth/send-verification', { phone: '+14155553000' }, { from: '198.51.100.1' });
  await app.code('+14155553000');
  for (let index = 0; index < 61; index++) {
    const email = `many-${index}@example.com`;
    await app.post('/api/v1/auth/send-verification', { email }, { from: `198.51.100.${10 + index}` });
    await app.code(email);
  }
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  for (const written of ['+1 (415) 555-3000', '%2B14155553000', '+14155553000']) {
    await page.goto(`/dev/inbox?to=${written.startsWith('%') ? written : written.replaceAll(' ', '%20')}`);
    assert.equal(await page.locator('.item').count(), 1, written);
  }
  await page.goto('/dev/inbox?channel=sms');
  await page.getByRole('link', { name: /\+14155553000/ }).waitFor();
  await context.close();
});

test('the simulated Telegram: what is written reaches the bot, and buttons work', async () => {
  const from = { id: 700100, is_bot: false, first_name: 'Ada', language_code: 'en' };
  const message = { message_id: 1, date: 1, chat: { id: 700100, type: 'private' }, from, text: '/start' };
  await app.post('/dev/telegram/updates', { update_id: 1, message });
  const { context, page } = await openContext(browser, app);
  await page.goto('/dev/inbox?to=700100');
  await page.getByText('I am the bot of').first().waitFor();
  await page.getByLabel('Write to the bot').fill('/help');
  await page.getByRole('button', { name: 'Write' }).click();
  await page.locator('.bubble').getByText('What I can do').waitFor();
  await app.post('/api/v1/auth/send-verification', { telegram_user_id: 700100 });
  const code = await app.code('700100');
  await page.locator('.bubble').getByText(code).waitFor();
  await page.getByLabel('Write to the bot').fill(`/verify ${code}`);
  await page.getByRole('button', { name: 'Write' }).click();
  await page.locator('.bubble').getByText('signed in', { exact: false }).first().waitFor();
  await page.getByLabel('Write to the bot').fill('/devices');
  await page.getByRole('button', { name: 'Write' }).click();
  await page.locator('.keys button').first().waitFor();
  const before = await page.locator('.item').count();
  await page.locator('.keys button').first().click();
  await page.locator('.item').nth(before).waitFor();
  await context.close();
});

test('the reference tells every call of the served document, and in development runs one after the other', async () => {
  const { context, page, foreign } = await openContext(browser, app);
  await page.goto('/docs');
  const { body: document } = await app.get('/openapi.json');
  const calls = Object.values(document.paths as Record<string, object>).flatMap((path) => Object.keys(path));
  assert.equal(await page.locator('.call').count(), calls.length);
  const send = page.locator('#post-api-v1-auth-send-verification');
  await send.getByLabel('Body').fill('{"email":"linus@example.com"}');
  await send.getByRole('button', { name: 'Run POST' }).click();
  await send.locator('.result', { hasText: 'verification_id' }).waitFor();
  await app.code('linus@example.com');
  const verify = page.locator('#post-api-v1-auth-verify-code');
  await verify.getByRole('button', { name: 'Run POST' }).click();
  await verify.locator('.result', { hasText: 'access_token' }).waitFor();
  const me = page.locator('#get-api-v1-auth-me');
  await me.getByLabel('Token').focus();
  await me.getByRole('button', { name: 'Run GET' }).click();
  await me.locator('.result', { hasText: 'linus@example.com' }).waitFor();
  // By the client too, where it has a method; each that it names is one of its own.
  const sdk = send.locator('#post-api-v1-auth-send-verification-sdk');
  assert.equal(await sdk.isVisible(), false);
  await send.getByText('SDK', { exact: true }).first().click();
  assert.match(await sdk.innerText(), /client\.sendVerification\(\{ email: 'ada@example\.com' \}\)/);
  const named = (await page.locator('pre[id$="-sdk"]').allTextContents()).map(
    (text) => /await (client|auth)\.(\w+)\(/.exec(text) ?? [],
  );
  assert.ok(named.length >= 12);
  const client = createClient({ baseUrl: app.url });
  for (const [, of, method = ''] of named) {
    assert.ok(of === 'client' ? method in client : method in PhoneAuth.prototype, method);
  }
  await page.getByLabel('Find a call').fill('jwks');
  assert.ok((await page.locator('.contents li:visible').count()) < 5);
  assert.deepEqual(foreign, []);
  await context.close();
});

test('inbox and reference: no violation, nothing wider than the screen, in light and dark, wide and narrow', async () => {
  await app.post('/api/v1/auth/send-verification', { email: 'axe@example.com' });
  await app.code('axe@example.com');
  const wrong: string[] = [];
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 320],
  ] as const) {
    const { context, page } = await openContext(browser, app, {
      colorScheme,
      viewport: { width, height: 700 },
    });
    for (const path of ['/dev/inbox', '/dev/inbox?to=axe@example.com', '/dev/inbox?channel=voice', '/docs']) {
      await page.goto(path);
      const wide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      const found = await violationsOf(page);
      if ((await page.evaluate(wide)) !== 0) found.push('wider than the screen');
      wrong.push(...found.map((text) => `${path} ${width}: ${text}`));
    }
    await context.close();
  }
  assert.deepEqual(wrong, []);
});

test('in production there is no inbox, and the reference runs nothing', async () => {
  const production = await createPagesApp({
    env: {
      FIRSTPROOF_MODE: 'production',
      FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
      FIRSTPROOF_SECRET: 'n7Qm2xV9rT4cW8kZ1pL6sD3fG5hJ0bYa-test',
    },
  });
  try {
    assert.equal((await fetch(`${production.url}/dev/inbox`)).status, 404);
    const text = await (await fetch(`${production.url}/docs`)).text();
    assert.match(text, /API reference/);
    assert.doesNotMatch(text, /class="run"|\/dev\//);
  } finally {
    await production.close();
  }
});
