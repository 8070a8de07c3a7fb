import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser } from './browser.ts';

let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([startBrowser(), createPagesApp()]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

/** What has the focus: its name, and whether that can be seen. */
const FOCUS = `(() => {
  const { activeElement: element } = document;
  const style = getComputedStyle(element);
  const frame = element.closest('.code') ? getComputedStyle(element.closest('.code')) : style;
  const name = element === document.body ? '' : element.getAttribute('aria-label') ?? element.labels?.[0]?.innerText ?? element.innerText ?? '';
  return {
    name: name.trim().replace(/\\s+/g, ' '),
    isSeen: style.outlineStyle !== 'none' || frame.boxShadow !== 'none',
  };
})()`;

/** Presses Tab until what has this name has the focus; each stop on the way shows that it has it. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = [];
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate<{ name: string; isSeen: boolean }>(FOCUS);
    if (focus.name !== '') assert.ok(focus.isSeen, `${focus.name} does not show the focus`);
    if (name.test(focus.name)) return;
    passed.push(focus.name);
  }
  assert.fail(`${name} is not reached: ${passed.join(' · ')}`);
}

async function press(page: Page, name: RegExp): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

for (const look of ['from left to right', 'from right to left'] as const) {
  test(`by the keyboard alone, ${look}: signs in, names a device, adds and removes an address, signs out`, async () => {
    // The words stay English, so that the names are; the page runs the other way.
    const isRtl = look === 'from right to left';
    const { context, page } = await openContext(browser, app);
    if (isRtl)
      await page.addInitScript("addEventListener('DOMContentLoaded', () => { document.dir = 'rtl'; })");
    const phone = isRtl ? '+998901234568' : '+998901234567';
    const email = isRtl ? 'keys-rtl@example.com' : 'keys@example.com';
    await page.goto('/t/default/sign-in');
    await tabTo(page, /^Country$/);
    await page.keyboard.type('Uzbek');
    assert.equal(await page.getByLabel('Country').inputValue(), 'UZ');
    await tabTo(page, /^Phone number$/);
    await page.keyboard.type(phone.slice(4));
    await page.keyboard.press('Enter');
    await page.waitForURL(/verify/);
    await page.keyboard.type(await app.code(phone));
    await page.waitForURL(/\/account$/);

    await press(page, /^Devices$/);
    await page.waitForURL(/devices/);
    await press(page, /^Rename/);
    await tabTo(page, /^Name of this device$/);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Desk');
    await page.keyboard.press('Enter');
    await page.getByText('Renamed.').waitFor();

    await press(page, /^Profile$/);
    await page.waitForURL(/\/account$/);
    await press(page, /^Add an address$/);
    await page.waitForURL(/account\/add/);
    await press(page, /^E-mail$/);
    await page.waitForURL(/with=email/);
    await tabTo(page, /^E-mail address$/);
    await page.keyboard.type(email);
    await page.keyboard.press('Enter');
    await page.waitForURL(/verify/);
    await page.keyboard.type(await app.code(email));
    await page.getByText('Added.').waitFor();
    await press(page, /^Remove keys/);
    await press(page, /^Remove$/);
    await page.getByText('Removed.').waitFor();

    await press(page, /^Language/);
    await tabTo(page, /^English$/);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.languages[open]').count(), 0);
    assert.match((await page.evaluate<{ name: string }>(FOCUS)).name, /^Language/);

    await page.goto('/t/default/account');
    await press(page, /^Sign out$/);
    await page.waitForURL(/sign-out/);
    await press(page, /^Sign out$/);
    await page.getByText('You are signed out').waitFor();
    await context.close();
  });
}
