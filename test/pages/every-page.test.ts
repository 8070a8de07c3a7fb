import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser, violationsOf } from './browser.ts';
import { scenes } from './scenes.ts';

/** What a page may weigh on its first visit, style and script with it: REQUIREMENTS of a slow telephone. */
const MOST_BYTES = 20_000;

let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([startBrowser(), createPagesApp()]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

/** Bytes as they came over the wire, and what each was. */
async function weightOf(page: Page): Promise<number> {
  const sizes = (await page.evaluate(`performance.getEntriesByType('navigation')
    .concat(performance.getEntriesByType('resource')).map((entry) => entry.encodedBodySize)`)) as number[];
  assert.ok(sizes.length >= 3, 'the page, its style and its script were counted');
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Scrolls sideways? Then something is wider than the screen. */
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** What a page looks like without being opened again: width, and light or dark. */
const VIEWS = [
  { name: 'wide', size: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'dark, 320 pixels wide', size: { width: 320, height: 568 }, colorScheme: 'dark' },
] as const;

for (const [look, locale] of [
  ['from left to right', 'en-US'],
  ['from right to left', 'fa-IR'],
] as const) {
  // Many pages, each reached as people reach it: on a busy machine that takes its time.
  const title = `every page, ${look}, light and dark: no violation, nothing wider than the screen, at most 20 kB, nobody else asked`;
  test(title, { timeout: 900_000 }, async () => {
    const wrong: string[] = [];
    for (const { name, open } of scenes) {
      const { context, page, foreign } = await openContext(browser, app, {
        locale,
        // Colours are looked at as they are in the end, not on their way from light to dark.
        reducedMotion: 'reduce',
      });
      const faults: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('the server responded'))
          faults.push(message.text());
      });
      page.on('pageerror', (error) => faults.push(error.message));
      await open(page, app);
      const weight = await weightOf(page);
      const found = [
        ...(weight <= MOST_BYTES ? [] : [`weighs ${weight} bytes`]),
        ...((await page.title()).includes(' · ') ? [] : ['has no title']),
      ];
      for (const { name: view, size, colorScheme } of VIEWS) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme });
        const seen = await violationsOf(page);
        if ((await page.evaluate(overflow)) !== 0) seen.push('wider than the screen');
        found.push(...seen.map((text) => `${view}: ${text}`));
      }
      wrong.push(...[...found, ...foreign, ...faults].map((text) => `${name}: ${text}`));
      await context.close();
    }
    assert.deepEqual(wrong, []);
  });
}

test('a page is painted without waiting for its script, and no script is needed to use it', async () => {
  const { context, page } = await openContext(browser, app);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/*.js', async (route) => {
    await held;
    await route.continue();
  });
  const opened = page.goto('/sign-in', { waitUntil: 'commit' });
  await opened;
  await page.getByRole('heading', { name: 'Sign in to Firstproof' }).waitFor();
  const painted = "performance.getEntriesByName('first-contentful-paint').length";
  while ((await page.evaluate(painted)) !== 1) await page.waitForTimeout(20);
  release();
  await context.close();
});

test('at 200 % nothing is cut off and nothing moves where motion is not wanted', async () => {
  const { context, page } = await openContext(browser, app, {
    viewport: { width: 640, height: 400 },
    reducedMotion: 'reduce',
  });
  await page.goto('/sign-in');
  await page.evaluate("document.documentElement.style.fontSize = '200%'");
  assert.equal(await page.evaluate(overflow), 0);
  assert.equal(
    await page.evaluate("getComputedStyle(document.querySelector('.button')).transitionDuration"),
    '0s',
  );
  await context.close();
});

test('the keyboard alone reaches everything, in the order of the page', async () => {
  const { context, page } = await openContext(browser, app);
  await page.goto('/sign-in?with=email');
  const reached: string[] = [];
  for (let step = 0; step < 9; step++) {
    await page.keyboard.press('Tab');
    reached.push(
      await page.evaluate<string>(
        "(document.activeElement.getAttribute('aria-label') || document.activeElement.name || document.activeElement.innerText || '').trim().replace(/\\s+/g, ' ')",
      ),
    );
  }
  assert.deepEqual(reached, [
    'Skip to the form',
    'Phone',
    'E-mail',
    'Telegram',
    'email',
    'Send me a code',
    'Use a password instead',
    'Create an account',
    'Language: English',
  ]);
  await context.close();
});
