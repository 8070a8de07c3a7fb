import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser } from './browser.ts';

let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([startBrowser(), createPagesApp()]);
  const us = app.app.tenants.bySlug('us');
  assert.ok(us);
  const settings = { ...us.settings, sms: { autofill_host: 'auth.example.com' } };
  await app.app.tenants.update(us, { settings });
});
after(async () => {
  await browser?.close();
  await app?.close();
});

test('the code that the browser reads from the SMS fills the field and is sent by itself', async () => {
  const { context, page } = await openContext(browser, app);
  // No phone receives anything here: the browser's side of WebOTP is played by the test, from the real message.
  await page.exposeFunction('readSms', async () => {
    await app.code('+14155550188');
    const { body } = await app.get('/dev/messages?to=%2B14155550188&limit=1');
    return body[0].text as string;
  });
  await page.addInitScript(`
    window.OTPCredential = class {};
    navigator.credentials.get = async ({ otp, signal }) => {
      window.asked = { otp, isAborted: () => signal.aborted };
      const [, code] = /\\n@[a-z.]+ #(\\d+)$/.exec(await window.readSms());
      return { code };
    };`);
  await page.goto('/sign-in');
  await page.getByLabel('Country').selectOption('US');
  await page.getByLabel('Phone number').fill('415 555 0188');
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL(/\/account$/);
  assert.match(await page.locator('main').innerText(), /\+1 415 555 0188/);
  await context.close();
});

test('the page may ask for codes of SMS, and nobody who frames or is framed by it', async () => {
  const page = await fetch(`${app.url}/sign-in`);
  assert.match(page.headers.get('permissions-policy') ?? '', /otp-credentials=\(self\)/);
});
