import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createTestProvider, refuses, sends, type TestProvider } from '../operations/test-provider.ts';
import { createPagesApp, openContext, startBrowser } from './browser.ts';

let browser: Browser;
let app: TestApp;
let telegram: TestProvider;
let sms: TestProvider;

before(async () => {
  telegram = createTestProvider(sends, { name: 'gateway', channels: ['telegram'], reachesByPhone: true });
  sms = createTestProvider(sends, { name: 'sms' });
  const delivery = {
    routes: { default: ['telegram' as const, 'sms' as const] },
    next_channel_after_seconds: 20,
  };
  [browser, app] = await Promise.all([
    startBrowser(),
    createPagesApp({
      providers: [telegram, sms],
      tenants: { us: { delivery }, uz: { delivery, error_detail: 'uniform' } },
    }),
  ]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

let people = 0;

async function ask(page: Page, tenant = 'us'): Promise<string> {
  const phone = tenant === 'us' ? `+1415555${4100 + people++}` : `+99890123${4100 + people++}`;
  await page.goto(`/t/${tenant}/sign-in?with=phone`);
  await page.locator('#field-phone').fill(phone);
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL(/verify/);
  return phone;
}

const state = (page: Page) => page.locator('[data-travel]');

test('the page tells how the code travels as it happens: sent, what comes next and when, then the next channel', async () => {
  const { context, page } = await openContext(browser, app);
  await ask(page);
  await page.getByText('Sent in Telegram.').waitFor();
  await page.getByText(/It also comes by SMS in 0:[12]\d/).waitFor();
  app.clock.advance(20);
  await page.getByText('Sent by SMS.').waitFor();
  assert.equal(await page.locator('[data-next]').isVisible(), false);
  await context.close();
});

test('without JavaScript a reload tells it, and the same code is asked for by another channel', async () => {
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  const phone = await ask(page);
  for (let tries = 0; tries < 50 && !/Sent in Telegram/.test(await state(page).innerText()); tries++)
    await page.reload();
  assert.equal(await state(page).innerText(), 'Sent in Telegram.');
  const instead = page.getByRole('button', { name: 'Send it by SMS instead' });
  await instead.click();
  await page.getByText('A code was sent a moment ago').waitFor();
  app.clock.advance(61);
  await page.reload();
  const before = sms.given.length;
  await page.getByRole('button', { name: 'Send it by SMS instead' }).click();
  await page.getByText('We sent it by SMS to').waitFor();
  for (let tries = 0; tries < 100 && sms.given.length === before; tries++) await page.waitForTimeout(20);
  const given = (provider: TestProvider) => provider.given.findLast(({ to }) => to === phone)?.code;
  assert.equal(given(sms), given(telegram), 'it is the same code');
  await context.close();
});

test('what cannot be delivered is told, and so is that nothing else is left', async () => {
  telegram.behave = refuses('not on Telegram');
  sms.behave = refuses('no such subscriber');
  const { context, page } = await openContext(browser, app);
  await ask(page);
  await page.getByText('It could not be delivered by SMS.').waitFor();
  assert.equal(await state(page).getAttribute('data-look'), 'failed');
  telegram.behave = sends;
  sms.behave = sends;
  await context.close();
});

test('S22 where nobody may learn who has an account the page tells the plan and not what happened', async () => {
  telegram.behave = refuses('not on Telegram');
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  await ask(page, 'uz');
  await page.waitForTimeout(500);
  await page.reload();
  assert.equal(await state(page).innerText(), 'Sent in Telegram.');
  telegram.behave = sends;
  await context.close();
});

test('events are opened by the browser that asked for the code, and by no address', async () => {
  const { context, page } = await openContext(browser, app);
  await ask(page);
  const events = await page.locator('[data-events]').getAttribute('data-events');
  const other = await openContext(browser, app);
  const answer = await other.context.request.get(events ?? '');
  assert.equal(answer.status(), 204);
  assert.doesNotMatch(events ?? '', /[\w-]{20,}/);
  await other.context.close();
  await context.close();
});
