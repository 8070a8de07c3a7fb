import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser, typeCode } from './browser.ts';
import { startSecondProof } from './scenes.ts';

let browser: Browser;
let app: TestApp;
before(async () => {
  [browser, app] = await Promise.all([startBrowser(), createPagesApp()]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

test('S35 the pages ask for one more way: a code to the e-mail address signs in to the old account', async () => {
  const { context, page } = await openContext(browser, app);
  const { email } = await startSecondProof(page, app);
  assert.doesNotMatch(await page.content(), new RegExp(email), 'the address is masked');
  const known = await app.newestMessage(email);
  await page.getByRole('button', { name: /send a code to/i }).click();
  await page.waitForURL(/verify/);
  await typeCode(page, await app.code(email, { after: known }));
  await page.waitForURL(/\/account$/);
  await page.getByText(email).first().waitFor();
  await context.close();
});

test('S35 the pages: a wrong password is told, the right one signs in; who had the number last begins anew', async () => {
  const first = await openContext(browser, app);
  await startSecondProof(first.page, app);
  await first.page.getByLabel('Password').fill('not the password');
  await first.page.getByRole('button', { name: /with my password/i }).click();
  await first.page.getByRole('alert').waitFor();
  await first.page.getByLabel('Password').fill('violet harbour 19 mandolin');
  await first.page.getByRole('button', { name: /with my password/i }).click();
  await first.page.waitForURL(/\/account$/);
  await first.context.close();

  const second = await openContext(browser, app);
  const { phone, email } = await startSecondProof(second.page, app);
  await second.page.getByRole('button', { name: /begin a new account/i }).click();
  await second.page.waitForURL(/\/account$/);
  const content = await second.page.locator('main').innerText();
  assert.ok(!content.includes(email), 'nothing of the former owner is seen');
  const [row] = await app.databases.control.sql`select count(*)::int as accounts from identities i
    join identities other on other.user_id = i.user_id where i.value = ${phone}`;
  assert.equal(row?.['accounts'], 1, 'the number is all it has');
  await second.context.close();
});
