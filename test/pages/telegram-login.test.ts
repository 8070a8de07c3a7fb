import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createFakeLogin, LOGIN_CLIENT } from '../telegram/fake-login.ts';
import { createPagesApp, openContext, startBrowser } from './browser.ts';

const START = new Date('2026-03-01T12:00:00.000Z');
const fake = await createFakeLogin(() => START.getTime() / 1000);
let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([
    startBrowser(),
    createPagesApp({
      start: START,
      fetch: fake.fetch,
      env: {
        TELEGRAM_LOGIN_CLIENT_ID: LOGIN_CLIENT.id,
        TELEGRAM_LOGIN_CLIENT_SECRET: LOGIN_CLIENT.secret,
      },
    }),
  ]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`one press leads to Telegram's own page and back, signed in (script: ${javaScriptEnabled})`, async () => {
    const { context, page } = await openContext(browser, app, { javaScriptEnabled });
    await page.goto('/sign-in?with=telegram');
    // Nothing of Telegram is reachable here: that the browser asks it shows that the page's policy lets it go.
    const asking = page.waitForEvent('requestfailed', (request) =>
      request.url().startsWith('https://oauth.telegram.org/auth?'),
    );
    await page.getByRole('button', { name: 'own page' }).click();
    const asked = (await asking).url();
    await page.waitForURL('chrome-error://chromewebdata/');
    const answer = fake.approve(asked, { id: 950_000_001, name: 'Mia Wong' });
    const back = new URL(asked).searchParams.get('redirect_uri');
    await page.goto(`${back}?${new URLSearchParams(answer).toString()}`);
    await page.waitForURL(/\/account$/);
    assert.match(await page.locator('main').innerText(), /950000001/);
    assert.doesNotMatch(page.url(), /code|state/);
    await context.close();
  });
}
