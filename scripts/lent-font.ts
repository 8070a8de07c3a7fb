import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const FONT_FILES = fileURLToPath(
  new URL('files/', import.meta.resolve('@fontsource/noto-sans-ethiopic/package.json')),
);

function fontFace(weight: number): string {
  const file = join(FONT_FILES, `noto-sans-ethiopic-ethiopic-${weight}-normal.woff2`);
  const source = `url(data:font/woff2;base64,${readFileSync(file).toString('base64')})`;
  return `@font-face { font-family: lent; font-weight: ${weight}; src: ${source}; unicode-range: U+1200-139F, U+2D80-2DDF; }`;
}

/** Phones bring the letters of Amharic along; the machine that draws may not. @param others what the rest is written in */
export async function lendFont(page: Page, others: string): Promise<void> {
  const faces = [400, 600, 700].map(fontFace).join('\n');
  await page.addStyleTag({ content: `${faces}\n* { font-family: lent, ${others} !important; }` });
  await page.evaluate('document.fonts.ready');
}
