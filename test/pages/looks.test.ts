import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser } from './browser.ts';
import { scenes } from './scenes.ts';

let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([startBrowser(), createPagesApp()]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

const open = (name: string, page: Page) => scenes.find((scene) => scene.name === name)?.open(page, app);

/** Words of the choices and buttons that stand on more than one line. */
const BROKEN_WORDS = `[...document.querySelectorAll('.ways a, .tabs a, .button')].flatMap((element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const { 0: word, index } of node.data.matchAll(/[\\p{L}\\p{M}\\u02bb]+/gu)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) broken.push(word);
    }
  }
  return broken;
})`;

test('no word of a choice or a button is broken, in any language, at 320 pixels', async () => {
  for (const locale of ['en-US', 'ru-RU', 'uz-UZ', 'fa-IR', 'am-ET']) {
    const { context, page } = await openContext(browser, app, {
      locale,
      viewport: { width: 320, height: 568 },
    });
    for (const path of ['/sign-in', '/sign-in?by=password&with=username', '/forgot', '/sign-up']) {
      await page.goto(path);
      assert.deepEqual(await page.evaluate(BROKEN_WORDS), [], `${locale} ${path}`);
    }
    await context.close();
  }
});

test('the digits of a code stand in the middle of their field', async () => {
  const { context, page } = await openContext(browser, app, { viewport: { width: 360, height: 640 } });
  await open('verify', page);
  const [left, right] = (await page.evaluate(`(() => {
    const box = document.querySelector('.code').getBoundingClientRect();
    const field = document.querySelector('#field-code');
    const { left } = field.getBoundingClientRect();
    const drawn = Number.parseFloat(getComputedStyle(field).backgroundSize);
    return [left - box.left, box.right - left - drawn];
  })()`)) as [number, number];
  assert.ok(Math.abs(left - right) <= 2, `${left} and ${right}`);
  await context.close();
});

test('times are told in words or digits of the language, also where a browser does not know its months', async () => {
  for (const [locale, told] of [
    ['uz-UZ', /Oxirgi marta: 01\.03\.2026/],
    ['ru-RU', /Последний раз: 1 мар\. 2026/],
  ] as const) {
    const { context, page } = await openContext(browser, app, { locale });
    await open('devices', page);
    assert.match(await page.locator('main').innerText(), told);
    await context.close();
  }
});

test('a masked Telegram account is called by its name where a code may go to it', async () => {
  const { context, page } = await openContext(browser, app);
  await open('prove', page);
  await page.getByRole('button', { name: /^Send a code to Telegram •••\d{3}$/ }).waitFor();
  await page.getByRole('button', { name: /^Send a code to \+1 ••• ••• \d{4}$/ }).waitFor();
  await context.close();
});
