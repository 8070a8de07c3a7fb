import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { wrongCode } from '../wrong-code.ts';
import { createPagesApp, violationsOf } from './browser.ts';
import { createElementSite, type ElementSite } from './element-site.ts';
import { IDLE_PASSWORD, makeIdleAccount } from './scenes.ts';

const CAPTCHA_HOST = 'https://challenges.cloudflare.com';
const GUARDED = { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '0' };

/** Its server asks for a CAPTCHA, `working` for work alone, `plain` for nothing. */
let site: ElementSite;
let working: TestApp;
let plain: TestApp;
before(async () => {
  [site, working, plain] = await Promise.all([
    createElementSite({
      env: {
        ...GUARDED,
        FIRSTPROOF_CAPTCHA_PROVIDER: 'turnstile',
        FIRSTPROOF_CAPTCHA_SITE_KEY: 'site-of-ours',
        FIRSTPROOF_CAPTCHA_SECRET: 'kept-by-us',
      },
      fetch: async (_url, init) => {
        const form = new URLSearchParams(await new Response(init?.body).text());
        return Response.json({ success: form.get('response') === 'a-person' });
      },
    }),
    createPagesApp({ env: GUARDED }),
    createPagesApp(),
  ]);
});
after(async () => {
  await site?.close();
  await working?.close();
  await plain?.close();
});

const addressOf = (app: TestApp): string => app.url.replace('127.0.0.1', 'localhost');
const element = (page: Page) => page.locator('firstproof-sign-in');
const openAt = (app: TestApp, more: Record<string, string> = {}, options: BrowserContextOptions = {}) =>
  site.open({ server: addressOf(app), ...more }, options);

/** The provider's script, played: it shows a box to press, and tells what it was asked for. */
async function playProvider(page: Page, says = 'a-person'): Promise<void> {
  await page.route(`${CAPTCHA_HOST}/**`, (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `window.turnstile = {
        render(place, options) {
          window.asked = { sitekey: options.sitekey, theme: options.theme, size: options.size, language: options.language };
          const box = document.createElement('button');
          box.textContent = 'I am a person';
          box.onclick = () => options.callback('${says}');
          place.append(box);
          return 'shown';
        },
        remove(shown) { window.removed = shown; },
      };
      window[new URL(document.currentScript.src).searchParams.get('onload')]();`,
    }),
  );
}

let people = 0;
/** Somebody whose number was right, but does not open the account that lay idle. */
async function proveNumber(more: Record<string, string> = {}, options: BrowserContextOptions = {}) {
  const n = ++people;
  const who = { phone: `+1415558${1000 + n}`, email: `idle-${n}@example.com`, from: `198.53.0.${n}` };
  await makeIdleAccount(plain, who);
  const known = await plain.newestMessage(who.phone);
  const opened = await openAt(plain, { tenant: 'default', with: 'phone', ...more }, options);
  const { page } = opened;
  await element(page).locator('input').fill(who.phone);
  await element(page).locator('[type=submit]').click();
  await element(page)
    .locator('input.code')
    .fill(await plain.code(who.phone, { after: known }));
  await element(page).locator('[name=password]').waitFor();
  return { ...who, ...opened };
}

test('S35 the element asks for one more way: a code to the address signs in to the old account, after a wrong one too', async () => {
  const { context, page, answer, email } = await proveNumber();
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  assert.ok(!(await element(page).innerText()).includes(email), 'the address is masked');
  assert.equal(await page.evaluate('document.activeElement.shadowRoot.activeElement.tagName'), 'BUTTON');
  const known = await plain.newestMessage(email);
  await page.getByRole('button', { name: 'Send a code to i•••@example.com' }).click();
  await page.getByText('We sent it to i•••@example.com.').waitFor();
  const code = await plain.code(email, { after: known });
  await page.getByLabel('Code').fill(wrongCode(code));
  await page.getByText('This code is not right.').waitFor();
  await page.getByLabel('Code').fill(code);
  await page.getByText(`Hello, ${email}.`).waitFor();
  assert.equal((await answer).is_new_user, false);
  await context.close();
});

test('S35 the element: a wrong password is told, the right one signs in by the keyboard alone', async () => {
  const { context, page, answer, email } = await proveNumber();
  await page.getByLabel('Password').fill('not the password');
  await page.keyboard.press('Enter');
  await page.getByText('These sign-in details are not right.').waitFor();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(IDLE_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText(`Hello, ${email}.`).waitFor();
  assert.equal((await answer).is_new_user, false);
  await context.close();
});

test('S35 the element: whoever has the number now begins a new account; a proof that has waited too long leads back', async () => {
  const { context, page, answer } = await proveNumber();
  await page.getByRole('button', { name: 'Begin a new account' }).click();
  const { is_new_user: isNew, user } = await answer;
  assert.equal(isNew, true);
  assert.equal((user as unknown as { email: null }).email, null, 'nothing of the former owner');
  await context.close();

  const late = await proveNumber();
  plain.clock.advance(601);
  await late.page.getByRole('button', { name: 'Begin a new account' }).click();
  await late.page.getByText('This code cannot be used any more. Ask for a new one.').waitFor();
  await late.page.getByLabel('Phone number').waitFor();
  assert.equal(await late.page.getByLabel('Phone number').inputValue(), late.phone);
  await late.context.close();
});

test('S35 where no way is left the element says so, and leads to another', async () => {
  const tenant = plain.app.tenants.bySlug('us');
  assert.ok(tenant);
  const phone = '+14155587001';
  const { body } = await plain.signIn({ phone }, {}, { headers: { 'x-tenant': 'us' } });
  await plain.app.tenants.update(tenant, { settings: { ...tenant.settings, registration: 'closed' } });
  await plain.databases.of('us')
    .sql`update users set last_login = last_login - interval '91 days' where id = ${body.user.id}`;
  plain.clock.advance(61);
  const known = await plain.newestMessage(phone);
  const { context, page } = await openAt(plain, { tenant: 'us' });
  await page.getByLabel('Phone number').fill(phone);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code').fill(await plain.code(phone, { after: known }));
  await page.getByRole('heading', { name: 'This account has not been used for a long time' }).waitFor();
  await page.getByRole('button', { name: 'Use another way' }).click();
  await page.getByLabel('Phone number').waitFor();
  await context.close();
});

test('C1 past the free sends the element does the work by itself, for a code and for another one', async () => {
  const email = 'worked@example.com';
  const { context, page } = await openAt(working, { with: 'email' });
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code').waitFor();
  const first = await working.newestMessage(email);
  await page.getByRole('button', { name: 'Use another way' }).click();
  working.clock.advance(61);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code').fill(await working.code(email, { after: first }));
  await page.getByText(`Hello, ${email}.`).waitFor();
  await context.close();
});

test('C1 a link into Telegram begins once the element has done the work', async () => {
  const { context, page } = await openAt(working, { with: 'telegram' });
  await page.getByRole('button', { name: 'Continue with Telegram' }).click();
  await page.getByText('In Telegram, choose this number:').waitFor();
  assert.match(await element(page).locator('.number').innerText(), /^\d\d$/);
  await context.close();
});

test('C1 the element shows the CAPTCHA that is asked for, and goes on by itself; the next one is shown anew', async () => {
  const email = 'human@example.com';
  const { context, page } = await site.open({ with: 'email' });
  await playProvider(page);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByText('Show that you are a person.').waitFor();
  const press = page.getByRole('button', { name: 'I am a person' });
  await press.waitFor();
  assert.deepEqual(await page.evaluate('asked'), {
    sitekey: 'site-of-ours',
    theme: 'light',
    size: 'normal',
    language: 'en',
  });
  assert.deepEqual(await violationsOf(page), []);
  assert.equal(await page.evaluate('document.activeElement.shadowRoot.activeElement.className'), 'person on');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByLabel('Code').waitFor();
  assert.equal(await press.count(), 0);
  assert.equal(await page.evaluate('removed'), 'shown');
  await page.getByRole('button', { name: 'Use another way' }).click();
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await press.click();
  await page.getByLabel('Code').waitFor();
  await page.getByLabel('Code').fill(await site.app.code(email));
  await page.getByText(`Hello, ${email}.`).waitFor();
  await context.close();
});

test('C1 hCaptcha is asked in its own words; one that the page has loaded already is used', async () => {
  const settings = {
    ...GUARDED,
    FIRSTPROOF_CAPTCHA_PROVIDER: 'hcaptcha',
    FIRSTPROOF_CAPTCHA_SITE_KEY: 'site-of-theirs',
    FIRSTPROOF_CAPTCHA_SECRET: 'kept-by-us',
  };
  const asked: string[] = [];
  const app = await createPagesApp({
    env: settings,
    fetch: async (url) => {
      asked.push(new Request(url).url);
      return Response.json({ success: true });
    },
  });
  try {
    const { context, page } = await openAt(app, { with: 'email', language: 'ru' });
    const fetched: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('hcaptcha.com')) fetched.push(request.url());
    });
    await page.evaluate(`window.hcaptcha = {
      render(place, options) { window.asked = options; options.callback('a-person'); return 7; },
      remove(shown) { window.removed = shown; },
    }`);
    await element(page).locator('input').fill('loaded@example.com');
    await element(page).locator('[type=submit]').click();
    await element(page).locator('input.code').waitFor();
    assert.deepEqual(await page.evaluate("[asked.sitekey, asked.hl, 'language' in asked, removed]"), [
      'site-of-theirs',
      'ru',
      false,
      7,
    ]);
    assert.deepEqual(fetched, []);
    assert.deepEqual(asked, ['https://api.hcaptcha.com/siteverify']);
    await context.close();
  } finally {
    await app.close();
  }
});

test('C1 a CAPTCHA that does not load, or is not believed, is told beside the form; whoever goes elsewhere is not followed', async () => {
  const { context, page } = await site.open({ with: 'email' });
  await page.route(`${CAPTCHA_HOST}/**`, (route) => route.abort());
  const send = page.getByRole('button', { name: 'Send me a code' });
  await page.getByLabel('E-mail address').fill('robot@example.com');
  await send.click();
  await page.getByText('What shows that you are a person did not load.').waitFor();
  assert.equal(await page.getByText('Show that you are a person.').count(), 0);

  await page.unroute(`${CAPTCHA_HOST}/**`);
  await playProvider(page, 'a-robot');
  await send.click();
  await page.getByRole('button', { name: 'I am a person' }).click();
  await page.getByText('We could not check that you are a person. Try again.').waitFor();
  assert.equal(await page.getByLabel('E-mail address').inputValue(), 'robot@example.com');

  await send.click();
  await page.getByRole('button', { name: 'I am a person' }).waitFor();
  await page.getByRole('button', { name: 'New here? Create an account' }).click();
  await page.getByRole('heading', { name: 'Create your account' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'I am a person' }).count(), 0);
  assert.equal(await element(page).getByRole('alert').count(), 0, 'nothing is refused there');
  assert.equal(await site.app.newestMessage('robot@example.com'), undefined);
  await context.close();
});

test('C1 a page may show the CAPTCHA itself', async () => {
  const { context, page } = await site.open({ with: 'email' });
  await page.evaluate(
    "document.querySelector('firstproof-sign-in').onCaptcha = async (captcha) => { window.asked = captcha; return 'a-person'; }",
  );
  await page.getByLabel('E-mail address').fill('own@example.com');
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code').waitFor();
  assert.deepEqual(await page.evaluate('asked'), { provider: 'turnstile', site_key: 'site-of-ours' });
  await context.close();
});

test('both checks from right to left, in the dark and on a narrow screen: no violation of axe, nothing cut off', async () => {
  const narrow = { colorScheme: 'dark', viewport: { width: 320, height: 900 } } as const;
  const second = await proveNumber({ language: 'fa' }, narrow);
  const wrong = await violationsOf(second.page);
  assert.equal(await second.page.evaluate('document.documentElement.scrollWidth'), 320);
  await second.context.close();

  const { context, page } = await site.open({ language: 'fa', with: 'email' }, narrow);
  await playProvider(page);
  await element(page).locator('input').fill('leila@example.com');
  await element(page).locator('[type=submit]').click();
  await page.getByRole('button', { name: 'I am a person' }).waitFor();
  wrong.push(...(await violationsOf(page)));
  const { theme, size, language } = await page.evaluate<Record<string, string>>('asked');
  assert.deepEqual({ theme, size, language }, { theme: 'dark', size: 'compact', language: 'fa' });
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
  assert.deepEqual(wrong, []);
  await context.close();
});
