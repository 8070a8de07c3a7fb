import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { buttonOf } from '../telegram/link.ts';
import { simulateChat } from '../telegram/simulated-chat.ts';
import { createPagesApp, openContext, startBrowser } from './browser.ts';
import { answerLink } from './scenes.ts';

const RETURN = 'http://localhost:9/signed-in';
let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([
    startBrowser(),
    createPagesApp({ tenants: { default: { return_addresses: [RETURN] } } }),
  ]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

async function begin(page: Page, path = '/sign-in?with=telegram'): Promise<void> {
  await page.goto(path);
  await page.getByRole('button', { name: 'Continue with Telegram' }).click();
  await page.waitForURL(/\/telegram\?flow=/);
}

test('a link opened and confirmed in Telegram signs this browser in; the page follows by itself, asking little', async () => {
  const { context, page, foreign } = await openContext(browser, app);
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/telegram/state')) asked.push(request.url());
  });
  await begin(page);
  assert.ok(await page.locator('.qr svg').isVisible());
  assert.match(await page.locator('.number').innerText(), /^\d\d$/);
  assert.doesNotMatch(page.url(), /fpl_|l_/, 'no secret stands in the address');
  await page.getByText('Waiting for you to confirm').waitFor();
  const chat = await answerLink(app, page, 'open');
  await page.getByText('Opened in Telegram. Choose the number there.').waitFor();
  const number = await page.locator('.number').innerText();
  const last = await chat.last();
  const sure = await chat.press(buttonOf(last, number));
  await chat.press(buttonOf(sure, 'yes'));
  await page.waitForURL(/\/account$/);
  await page.getByText('Welcome. Your account is ready.').waitFor();
  assert.match(await page.locator('main').innerText(), new RegExp(String(chat.id)));
  assert.ok(asked.length <= 6, `asked ${asked.length} times`);
  assert.deepEqual(foreign, []);
  await context.close();
});

test('without JavaScript the page loads again by itself, and what was confirmed is taken by a button', async () => {
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  await begin(page, `/telegram?return_to=${encodeURIComponent(RETURN)}`);
  const text = await (await context.request.get(page.url())).text();
  assert.match(text, /<noscript><meta http-equiv="refresh" content="\d+"><\/noscript>/);
  await answerLink(app, page, 'confirm');
  await page.goto(page.url());
  await page.getByText('Confirmed in Telegram.').waitFor();
  const left = page.waitForRequest(RETURN);
  await page.getByRole('button', { name: 'Continue' }).click();
  await left;
  await context.close();
});

test('denied, a wrong number three times, and expired: the page says which, and begins again', async () => {
  const { context, page } = await openContext(browser, app);
  await begin(page);
  await answerLink(app, page, 'deny');
  await page.getByRole('heading', { name: 'This was not confirmed' }).waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.waitForURL(/\/telegram\?flow=/);

  const chat = simulateChat(app);
  const right = await page.locator('.number').innerText();
  const url = new URL((await page.locator('main a[href^="https://t.me/"]').getAttribute('href')) ?? '');
  let message = await chat.say(`/start ${url.searchParams.get('start') ?? ''}`);
  for (let mistakes = 0; mistakes < 3; mistakes++) {
    const wrong = message.buttons.find(({ text }) => /^\d\d$/.test(text) && text !== right);
    assert.ok(wrong?.callback_data, message.text);
    message = (await chat.press(wrong.callback_data)) ?? message;
  }
  await page.getByRole('heading', { name: 'This was not confirmed' }).waitFor();

  await begin(page);
  app.clock.advance(301);
  await page.reload();
  await page.getByRole('heading', { name: 'This link has expired' }).waitFor();
  await context.close();
});

test('S38 a link of another browser opens nothing, and a confirmed one is taken by this browser’s own form only', async () => {
  const thief = await openContext(browser, app);
  const { context, page } = await openContext(browser, app);
  await begin(page);
  await thief.page.goto(page.url());
  await thief.page.getByRole('heading', { name: 'This link has expired' }).waitFor();
  const flow = new URL(page.url()).searchParams.get('flow') ?? '';
  await page.goto('about:blank');
  const before = await context.cookies();
  const forged = await context.request.post('/telegram/done', {
    form: { flow },
    headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  });
  assert.equal(forged.status(), 403);
  const tokenless = await context.request.post('/telegram/done', { form: { flow, form_token: 'x' } });
  assert.equal(tokenless.status(), 403);
  assert.deepEqual(
    (await context.cookies()).map(({ name }) => name).filter((name) => name === 'firstproof'),
    before.map(({ name }) => name).filter((name) => name === 'firstproof'),
  );
  await thief.context.close();
  await context.close();
});

test('in development the page leads to the simulated Telegram, where the link is played', async () => {
  const { context, page } = await openContext(browser, app);
  await begin(page);
  const number = await page.locator('.number').innerText();
  const [inbox] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('link', { name: 'Open the link as a person' }).click(),
  ]);
  await inbox.getByRole('button', { name: 'Write' }).click();
  await inbox.getByRole('button', { name: number, exact: true }).click();
  await inbox
    .locator('.keys button')
    .filter({ hasText: /confirm|yes|it is me|sign in/i })
    .first()
    .click();
  await page.waitForURL(/\/account$/);
  await context.close();
});

test('a tenant without a bot says so instead', async () => {
  const { context, page } = await openContext(browser, app);
  const tenant = app.app.tenants.bySlug('us');
  assert.ok(tenant);
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, channels: ['sms'] } });
  const answer = await page.goto('/t/us/telegram');
  assert.equal(answer?.status(), 404);
  await page.getByRole('heading', { name: 'Telegram is not set up here' }).waitFor();
  await context.close();
});
