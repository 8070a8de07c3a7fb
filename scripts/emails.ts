/**
 * Writes every message in every language to a folder, to be looked at: `npm run emails`.
 * `--pictures` also draws each e-mail in Chromium, narrow and wide, light and dark; `--to FOLDER` chooses the folder;
 * words select templates and languages (`npm run emails -- --pictures fa sign_in_code`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';
import {
  type MessageDetails,
  messageLocales,
  type RenderedMessage,
  renderMessage,
  type TemplateName,
  templateNames,
} from '../src/delivery/templates/templates.ts';
import { type Branding, brandOf, codeTemplates } from '../src/tenants/tenants.ts';
import { lendFont } from './lent-font.ts';

type Preview = { readonly name: string; readonly locale: string; readonly rendered: RenderedMessage };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pictures: { type: 'boolean', default: false },
    to: { type: 'string', default: join(dirname(import.meta.dirname), '.scratch/emails') },
  },
});

const NAMES: Record<string, string> = { en: 'Ada', ru: 'Анна', uz: 'Dilnoza', fa: 'مریم', am: 'ሰላማዊት' };
const BRANDING: Branding = { colours: { primary: '#4b3fa7' }, support_address: 'help@school.example' };
const at = '2026-03-01T12:00:00.000Z';
const address = 'a•••@school.example';
const link = 'https://auth.school.example/not-me/AaIiknt8c0OF9uMzAb_KFwGiIpKB';
/** What notices tell, and what they lead to, as they really do. */
const DETAILS: { [Name in TemplateName]?: MessageDetails } = {
  new_device: { deviceName: 'Chrome 141, Windows', place: 'Tashkent', at, link },
  password_changed: { place: 'Tashkent', at, link },
  address_changed: { address, place: 'Tashkent', at, link },
  account_locked: { address, at },
  address_closed: { address, at },
  number_taken_over: { address: '+998 ••• ••• 4567', at },
};
const wants = (word: string, all: readonly string[]): boolean =>
  !positionals.some((wanted) => all.includes(wanted)) || positionals.includes(word);

function preview(template: TemplateName, locale: string): Preview {
  const carriesCode = codeTemplates.some((name) => name === template);
  const content = {
    template,
    locale,
    tenantName: 'Akilesiya',
    channel: 'email',
    name: NAMES[locale] ?? null,
    code: carriesCode ? '482913' : null,
    expiresIn: 300,
    details: DETAILS[template] ?? {},
  };
  const rendered = renderMessage(content, brandOf({ name: 'Akilesiya', branding: BRANDING }));
  return { name: `${template}.${locale}`, locale, rendered };
}

/** One page with every e-mail beside its text. */
function indexPage(previews: readonly Preview[]): string {
  const items = previews.map(
    ({ name }) =>
      `<section><h2>${name}</h2><iframe src="${name}.html" title="${name}"></iframe><p><a href="${name}.html">HTML</a> · <a href="${name}.txt">text</a></p></section>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Messages</title>
<style>body{font:16px system-ui;margin:24px;display:grid;gap:24px;grid-template-columns:repeat(auto-fill,minmax(380px,1fr))}h2{font-size:16px}iframe{width:100%;height:640px;border:1px solid #8884;border-radius:8px}</style>
${items.join('\n')}</html>\n`;
}

async function draw(browser: Browser, folder: string, { name, locale, rendered }: Preview): Promise<void> {
  for (const [size, width] of [
    ['narrow', 360],
    ['wide', 800],
  ] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({
        viewport: { width, height: 400 },
        colorScheme: scheme,
        deviceScaleFactor: size === 'narrow' ? 2 : 1,
      });
      await page.setContent(rendered.html ?? '');
      if (locale === 'am') await lendFont(page, 'system-ui, sans-serif');
      await page.screenshot({ path: join(folder, `${name}.${size}.${scheme}.png`), fullPage: true });
      await page.close();
    }
  }
}

const previews = templateNames
  .filter((template) => wants(template, templateNames))
  .flatMap((template) =>
    messageLocales
      .filter((locale) => wants(locale, messageLocales))
      .map((locale) => preview(template, locale)),
  );
mkdirSync(values.to, { recursive: true });
for (const { name, rendered } of previews) {
  writeFileSync(join(values.to, `${name}.html`), rendered.html ?? '');
  writeFileSync(join(values.to, `${name}.txt`), `Subject: ${rendered.subject}\n\n${rendered.text}`);
}
writeFileSync(join(values.to, 'index.html'), indexPage(previews));
if (values.pictures) {
  const browser = await playwright.launch({
    // In one process, closing the first page would end the browser.
    args: chromium.args.filter((argument) => !['--single-process', '--no-zygote'].includes(argument)),
    executablePath: await chromium.executablePath(),
    headless: true,
  });
  try {
    for (const each of previews) await draw(browser, values.to, each);
  } finally {
    await browser.close();
  }
}
console.log(`${previews.length} e-mails in ${values.to}${values.pictures ? ', four pictures each' : ''}`);
