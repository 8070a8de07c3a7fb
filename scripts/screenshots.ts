/**
 * Writes a picture of every hosted page to a folder, to be looked at: `npm run screenshots`.
 * `--to FOLDER` chooses the folder; words select pages and looks (`npm run screenshots -- verify dark`).
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { globalSetup, globalTeardown } from '../test/global-setup.ts';
import { createPagesApp, openContext, startBrowser } from '../test/pages/browser.ts';
import { scenes } from '../test/pages/scenes.ts';
import { lendFont } from './lent-font.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { to: { type: 'string', default: join(dirname(import.meta.dirname), '.scratch/screenshots') } },
});

const LOOKS = {
  narrow: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 },
  least: { viewport: { width: 320, height: 568 }, deviceScaleFactor: 2 },
  wide: { viewport: { width: 1280, height: 800 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  rtl: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, locale: 'fa-IR' },
  russian: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, locale: 'ru-RU' },
  uzbek: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, locale: 'uz-UZ' },
  // A page's own policy would not let the font in.
  amharic: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, locale: 'am-ET', bypassCSP: true },
} as const;

const lookNames = Object.keys(LOOKS) as (keyof typeof LOOKS)[];
const sceneNames = scenes.map(({ name }) => name);
const wants = (word: string, all: readonly string[]): boolean =>
  !positionals.some((wanted) => all.includes(wanted)) || positionals.includes(word);

async function draw(page: Page, path: string): Promise<void> {
  await page.evaluate('document.fonts.ready');
  await page.screenshot({ path, fullPage: true });
}

mkdirSync(values.to, { recursive: true });
await globalSetup();
const browser = await startBrowser();
let count = 0;
try {
  for (const look of lookNames.filter((name) => wants(name, lookNames))) {
    const app = await createPagesApp();
    for (const scene of scenes.filter(({ name }) => wants(name, sceneNames))) {
      const { context, page } = await openContext(browser, app, LOOKS[look]);
      await scene.open(page, app);
      if (look === 'amharic') await lendFont(page, 'var(--font-text)');
      await draw(page, join(values.to, `${scene.name}.${look}.png`));
      await context.close();
      count += 1;
    }
    await app.close();
  }
} finally {
  await browser.close();
  await globalTeardown();
}
console.log(`${count} pictures in ${values.to}`);
