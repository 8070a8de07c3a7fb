import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pageLocales } from '../../src/pages/words.ts';
import type { TestApp } from '../create-test-app.ts';
import { buttonOf } from '../telegram/link.ts';
import { simulateChat } from '../telegram/simulated-chat.ts';
import { violationsOf } from './browser.ts';
import { createElementSite, type ElementSite } from './element-site.ts';

/** Everything that somebody's browser fetches of it: the element with what it imports, and one language. */
const MOST_BYTES = 30_500;
const FIRST = 'correct horse battery staple';

let site: ElementSite;
let app: TestApp;
let openExample: ElementSite['open'];
before(async () => {
  site = await createElementSite();
  ({ app, open: openExample } = site);
});
after(() => site?.close());

test('a page of another origin signs somebody in by e-mail: a wrong code is told beside the field, the right one is an event', async () => {
  const { context, page, answer } = await openExample();
  await page.getByRole('button', { name: 'E-mail' }).click();
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByText('Fill this in.').waitFor();
  await page.getByLabel('E-mail address').fill('embedded@example.com');
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByText('We sent it to e•••@example.com.').waitFor();
  assert.equal(await page.evaluate('document.activeElement.shadowRoot.activeElement.name'), 'code');
  const code = await app.code('embedded@example.com');
  await page.getByLabel('Code').fill(code === '111111' ? '222222' : '111111');
  await page.getByText('This code is not right. Check it and try again. 4 attempts left.').waitFor();
  assert.equal(await page.getByLabel('Code').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByRole('button', { name: /Send again in/ }).isEnabled(), false);
  await page.getByLabel('Code').fill(code);
  await page.getByText('Hello, embedded@example.com.').waitFor();
  const { access_token: token } = await answer;
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  assert.equal(await page.evaluate('localStorage.length + sessionStorage.length'), 0, 'it keeps no token');
  await context.close();
});

test('the last wrong code ends it, and that is told; no choice is broken where there is little room', async () => {
  const { context, page } = await openExample({ with: 'email' }, { viewport: { width: 320, height: 640 } });
  const tallest = await page
    .locator('.ways button')
    .evaluateAll((buttons) => Math.max(...buttons.map((button) => button.getBoundingClientRect().height)));
  assert.ok(tallest <= 41, `each choice on one line: ${tallest}`);
  await page.getByLabel('E-mail address').fill('five@example.com');
  await page.getByRole('button', { name: 'Send me a code' }).click();
  const code = await app.code('five@example.com');
  for (let left = 4; left >= 0; left--) {
    await page.getByLabel('Code').fill(String((Number(code) + 1 + left) % 1_000_000).padStart(6, '0'));
    const told =
      left === 0 ? 'Too many wrong codes. Ask for a new one.' : new RegExp(`${left} attempts? left`);
    await page.getByText(told).waitFor();
  }
  await context.close();
});

test('by password; an address that waits for its proof is asked for its code', async () => {
  const { context, page } = await openExample({ with: 'email' });
  const email = 'waiting@example.com';
  await app.post('/api/v1/auth/register', { email, password: FIRST });
  await app.code(email);
  await page.getByRole('button', { name: 'Use a password instead' }).click();
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill('not this one at all');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('firstproof-sign-in').getByRole('alert').or(page.getByLabel('Code')).first().waitFor();
  if (await page.getByLabel('Code').isVisible())
    await page.getByRole('button', { name: 'Use another way' }).click();
  app.clock.advance(61);
  const before = await app.newestMessage(email);
  if (!(await page.getByLabel('Password').isVisible()))
    await page.getByRole('button', { name: 'Use a password instead' }).click();
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(FIRST);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Code').fill(await app.code(email, { after: before }));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText(`Hello, ${email}.`).waitFor();
  await context.close();
});

test('by a link into Telegram, and by phone from right to left', async () => {
  const { context, page } = await openExample({ with: 'telegram' });
  await page.getByRole('button', { name: 'Continue with Telegram' }).click();
  const number = await page.locator('firstproof-sign-in .number').innerText();
  const url = new URL((await page.getByRole('link', { name: 'Open Telegram' }).getAttribute('href')) ?? '');
  const chat = simulateChat(app);
  const asked = await chat.say(`/start ${url.searchParams.get('start') ?? ''}`);
  await page.getByText('Opened in Telegram.').waitFor();
  const sure = await chat.press(buttonOf(asked, number));
  await chat.press(buttonOf(sure, 'yes'));
  await page.getByText('Hello, Nora.').waitFor();
  await context.close();

  const persian = await openExample({ language: 'fa' });
  assert.equal(await persian.page.locator('firstproof-sign-in').getAttribute('dir'), 'rtl');
  await persian.page.locator('firstproof-sign-in input').fill('+998901119988');
  await persian.page.locator('firstproof-sign-in [type=submit]').click();
  await persian.page.locator('firstproof-sign-in input.code').fill(await app.code('+998901119988'));
  await persian.page.getByText('Hello, +998901119988.').waitFor();
  await persian.context.close();
});

test('no violation of axe on any screen of it, in light and dark, and words of one’s own', async () => {
  const wrong: string[] = [];
  for (const [colorScheme, language] of [
    ['light', 'en'],
    ['dark', 'fa'],
  ] as const) {
    const { context, page } = await openExample({ language, with: 'email' }, { colorScheme });
    wrong.push(...(await violationsOf(page)));
    await page.locator('firstproof-sign-in input').fill(`axe-${language}@example.com`);
    await page.locator('firstproof-sign-in [type=submit]').click();
    await page.locator('firstproof-sign-in input.code').waitFor();
    wrong.push(...(await violationsOf(page)));
    await page.evaluate(
      "document.querySelector('firstproof-sign-in').setAttribute('words', JSON.stringify({ codeTitle: 'Six digits, please' }))",
    );
    await page.getByRole('heading', { name: 'Six digits, please' }).waitFor();
    await context.close();
  }
  assert.deepEqual(wrong, []);
});

test('a server that does not answer is told, and asked again by a press', async () => {
  const { context, page } = await site.openBare();
  await page.goto(site.pageOf('http://localhost:9'));
  await page.getByText('Something went wrong on our side.').waitFor();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  await context.close();
});

test('a language whose words do not come is spoken in English', async () => {
  const { context, page } = await site.openBare();
  await page.route('**/languages/fa.js', (route) => route.abort());
  const server = app.url.replace('127.0.0.1', 'localhost');
  await page.goto(site.pageOf(server, { language: 'fa', view: 'forgot-password' }));
  await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
  assert.equal(await page.locator('firstproof-sign-in').getAttribute('dir'), 'ltr');
  await context.close();
});

test('it speaks the languages of the pages, depends on nothing, and is light', async () => {
  const { client } = site;
  const { elementWords } = (await import(`file://${client}/element/words.js`)) as {
    elementWords: Record<string, () => Promise<Record<string, unknown>>>;
  };
  assert.deepEqual(Object.keys(elementWords), pageLocales);
  const names = Object.keys((await elementWords['en']?.()) ?? {}).sort();
  for (const [language, words] of Object.entries(elementWords))
    assert.deepEqual(Object.keys(await words()).sort(), names, language);

  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import) '([^']+)'/g)) {
      assert.match(path, /^\.\.?\//, `${file} imports ${path}`);
      load(join(file, '..', path));
    }
  };
  load(join(client, 'element/sign-in-element.js'));
  assert.ok(loaded.size > 10);
  const sizeOf = (file: string): number => gzipSync(readFileSync(file)).length;
  const languages = join(client, 'element/languages');
  const largest = readdirSync(languages)
    .filter((name) => name.endsWith('.js') && name !== 'en.js')
    .map((name) => sizeOf(join(languages, name)));
  assert.equal(largest.length, pageLocales.length - 1);
  const bytes = [...loaded].reduce((sum, file) => sum + sizeOf(file), Math.max(...largest));
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes, compressed`);
});
