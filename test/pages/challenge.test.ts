import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser, typeCode, violationsOf } from './browser.ts';
import { startSecondProof } from './scenes.ts';

let browser: Browser;
let app: TestApp;

before(async () => {
  const env = { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '0' };
  [browser, app] = await Promise.all([startBrowser(), createPagesApp({ env })]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

let callers = 0;
/** A browser in a network of its own. */
async function open(options: Parameters<typeof openContext>[2] = {}) {
  const opened = await openContext(browser, app, {
    extraHTTPHeaders: { 'x-forwarded-for': `203.0.113.${++callers}` },
    ...options,
  });
  opened.page.setDefaultTimeout(40_000);
  return opened;
}

const submit = (page: Page) => page.locator('form button[type=submit]').first().click();

test('C1 a page past the free sends does the work by itself: a code comes, and another when it is asked for', async () => {
  const { context, page, foreign } = await open();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) complaints.push(message.text());
  });
  await page.goto('/sign-in?with=email');
  await page.getByLabel('E-mail address').fill('worked@example.com');
  await submit(page);
  await page.waitForURL(/\/verify\?flow=/);
  const first = await app.newestMessage('worked@example.com');
  await app.code('worked@example.com');
  app.clock.advance(61);
  await page.reload();
  await page.getByRole('button', { name: /again/i }).click();
  await page.getByText('We sent the code again.').waitFor();
  await typeCode(page, await app.code('worked@example.com', { after: first }));
  await page.waitForURL(/\/account$/);
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('C1 a page with a password does the work while the password is typed again', async () => {
  const { context, page } = await open();
  await page.goto('/sign-up?with=email');
  await page.getByLabel('E-mail address').fill('typist@example.com');
  await page.locator('#field-password').fill('violet-Harbour-42');
  await submit(page);
  await page.locator('[data-challenge]').waitFor();
  assert.match(await page.locator('main').innerText(), /Making sure that you are a person/);
  assert.equal(await page.locator('#field-email').inputValue(), 'typist@example.com');
  assert.equal(await page.locator('#field-password-wrong').innerText(), 'Fill this in.');
  assert.deepEqual(await violationsOf(page), []);
  await page.locator('#field-password').fill('violet-Harbour-42');
  await submit(page);
  await page.waitForURL(/\/verify\?flow=/);
  await typeCode(page, await app.code('typist@example.com'));
  await page.waitForURL(/\/account$/);
  await context.close();
});

test('C1 without JavaScript the page says how long to wait', async () => {
  const { context, page } = await open({ javaScriptEnabled: false });
  await page.goto('/sign-in?with=email');
  await page.locator('#field-email').fill('patient@example.com');
  await submit(page);
  const text = await page.locator('main').innerText();
  assert.match(text, /This step needs JavaScript\. Switch it on, or wait\. Try again in 1 hour|60 minutes/);
  assert.equal(await app.newestMessage('patient@example.com'), undefined);
  await context.close();
});

test('C1 a link into Telegram past the free ones begins once the work is done: from its own page, and from the sign-in', async () => {
  const { context, page, foreign } = await open();
  for (const path of ['/telegram', '/sign-in?with=telegram']) {
    await page.goto(path);
    const [asked] = await Promise.all([
      page.waitForResponse((answer) => answer.request().method() === 'POST'),
      page.getByRole('button', { name: 'Continue with Telegram' }).click(),
    ]);
    assert.equal(asked.status(), 429, 'the first press is asked for work');
    await page.waitForURL(/\/telegram\?flow=/);
    assert.match(await page.locator('.number').innerText(), /^\d\d$/);
  }
  const [row] = await app.databases.control.sql`select count(*)::int as links from telegram_links`;
  assert.equal(row?.['links'], 2, 'one for each press');
  assert.deepEqual(foreign, []);
  await context.close();
});

test('C1 without JavaScript the page of a link into Telegram says what to do', async () => {
  const { context, page } = await open({ javaScriptEnabled: false });
  await page.goto('/telegram');
  const press = page.getByRole('button', { name: 'Continue with Telegram' });
  const [asked] = await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === 'POST'),
    press.click(),
  ]);
  assert.equal(asked.status(), 429);
  await page.getByRole('heading', { name: 'Sign in with Telegram' }).waitFor();
  const text = await page.locator('main').innerText();
  assert.match(text, /This step needs JavaScript\. Switch it on, or wait\. Try again in (1 hour|60 minutes)/);
  await press.waitFor();
  await page.getByRole('link', { name: /another way/i }).waitFor();
  await context.close();
});

test('C1 a page allows the host of the CAPTCHA while it shows one, and only then', async () => {
  const hosts = 'https://challenges.cloudflare.com';
  const guarded = await createPagesApp({
    env: {
      FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '0',
      FIRSTPROOF_CAPTCHA_PROVIDER: 'turnstile',
      FIRSTPROOF_CAPTCHA_SITE_KEY: 'site-of-ours',
      FIRSTPROOF_CAPTCHA_SECRET: 'kept-by-us',
    },
    fetch: async (_url, init) => {
      const form = new URLSearchParams(await new Response(init?.body).text());
      return Response.json({ success: form.get('response') === 'a-person' });
    },
  });
  try {
    const { context, page } = await openContext(browser, guarded);
    // The provider's script, played: it shows a box and leaves a token in the form.
    await page.route(`${hosts}/**`, (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        body: `for (const box of document.querySelectorAll('.cf-turnstile')) {
          box.innerHTML = '<input type="hidden" name="cf-turnstile-response" value="a-person">' + box.dataset.sitekey;
        }`,
      }),
    );
    const before = await page.goto('/sign-in?with=email');
    assert.doesNotMatch(before?.headers()['content-security-policy'] ?? '', /cloudflare/);
    await page.getByLabel('E-mail address').fill('human@example.com');
    const [asked] = await Promise.all([page.waitForResponse(/\/sign-in$/), submit(page)]);
    const policy = asked.headers()['content-security-policy'] ?? '';
    assert.match(policy, /script-src 'self' https:\/\/challenges\.cloudflare\.com;/);
    assert.match(policy, /frame-src https:\/\/challenges\.cloudflare\.com;/);
    assert.doesNotMatch(policy, /hcaptcha|unsafe/);
    await page.getByText('site-of-ours').waitFor();
    await submit(page);
    await page.waitForURL(/\/verify\?flow=/);
    assert.ok(await guarded.code('human@example.com'));
    await context.close();
  } finally {
    await guarded.close();
  }
});

test('C11 pages do the work for an address that was guessed at: a sign-in, an address added, a second proof', async () => {
  const plain = await createPagesApp();
  const guessedAt = (value: string) => plain.databases.control.sql`
    insert into address_budgets (tenant_id, kind, value, taken_by, strangers_in_a_row)
    select id, 'email', ${value}, id, 20 from tenants where slug = 'default'
    on conflict (tenant_id, kind, value) do update set strangers_in_a_row = 20, sent_at = '{}', failed_at = '{}'`;
  try {
    const { context, page } = await openContext(browser, plain);
    page.setDefaultTimeout(40_000);
    const shown: number[] = [];
    page.on('response', (response) => {
      if (response.request().method() === 'POST') shown.push(response.status());
    });
    await guessedAt('guessed@example.com');
    await page.goto('/sign-in?with=email');
    await page.getByLabel('E-mail address').fill('guessed@example.com');
    await submit(page);
    await page.waitForURL(/\/verify\?flow=/);
    assert.deepEqual(shown, [429, 303], 'asked once, and sent again by the page');
    await typeCode(page, await plain.code('guessed@example.com'));
    await page.waitForURL(/\/account$/);

    await guessedAt('wanted@example.com');
    await page.goto('/account/add?with=email');
    await page.getByLabel('E-mail address').fill('wanted@example.com');
    await submit(page);
    await page.waitForURL(/\/verify/);
    await typeCode(page, await plain.code('wanted@example.com'));
    await page.waitForURL(/\/account$/);
    await page.getByText('wanted@example.com').first().waitFor();
    await context.close();

    const idle = await openContext(browser, plain);
    idle.page.setDefaultTimeout(40_000);
    const { email } = await startSecondProof(idle.page, plain);
    await guessedAt(email);
    const known = await plain.newestMessage(email);
    await idle.page.getByRole('button', { name: /send a code to/i }).click();
    await idle.page.waitForURL(/verify/);
    await typeCode(idle.page, await plain.code(email, { after: known }));
    await idle.page.waitForURL(/\/account$/);
    await idle.context.close();
  } finally {
    await plain.close();
  }
});
