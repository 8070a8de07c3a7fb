import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { telegramOf } from '../telegram/person.ts';
import { createPagesApp, openContext, startBrowser, typeCode } from './browser.ts';

let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([startBrowser(), createPagesApp()]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

const submit = (page: Page) => page.locator('form button[type=submit]').first().click();

test('somebody new signs in by e-mail: code, account, this device; signs out and is out', async () => {
  const { context, page, foreign } = await openContext(browser, app);
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'E-mail' }).click();
  await page.getByLabel('E-mail address').fill('Ada@Example.com');
  await submit(page);
  await page.waitForURL(/\/verify\?flow=/);
  assert.match(await page.locator('main').innerText(), /A•••@example\.com|a•••@example\.com/i);
  const field = page.getByLabel('Code');
  assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
  assert.equal(await field.getAttribute('inputmode'), 'numeric');
  assert.equal(await page.evaluate('document.activeElement.id'), 'field-code');
  await typeCode(page, await app.code('Ada@Example.com'));
  await page.waitForURL(/\/account$/);
  assert.match(await page.locator('main').innerText(), /Welcome\. Your account is ready\./);
  assert.match(await page.locator('main').innerText(), /ada@example\.com/i);

  const cookies = await context.cookies();
  const session = cookies.find(({ name }) => name === 'firstproof');
  assert.ok(session?.httpOnly);
  assert.equal(session.sameSite, 'Lax');
  assert.ok(!cookies.some(({ name }) => name.startsWith('firstproof-flow-')), 'the flow is over');

  await page.getByRole('link', { name: 'Devices' }).click();
  assert.match(await page.locator('main').innerText(), /Chrome on Linux\s+This device/);
  await page.getByRole('link', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByText('You are signed out').waitFor();
  await page.goto('/account');
  await page.waitForURL(/\/sign-in\?return_to=%2Faccount/);
  const { body } = await app.get('/api/v1/auth/session', { token: session.value });
  assert.equal(body.error, 'SESSION_ENDED');
  assert.deepEqual(foreign, []);
  await context.close();
});

test('by phone, without JavaScript: the number in its national form, the code typed and sent by the button', async () => {
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  await page.goto('/sign-in');
  await page.getByLabel('Country').selectOption('UZ');
  await page.getByLabel('Phone number').fill('90 123 45 67');
  await submit(page);
  await page.waitForURL(/\/verify/);
  assert.match(await page.locator('main').innerText(), /SMS to \+998 ••• ••• 4567/);
  assert.equal(await page.getByRole('button', { name: /Send again in/ }).isEnabled(), true);
  await page.getByRole('button', { name: /Send again in/ }).click();
  assert.match(
    await page.locator('[role=alert]').innerText(),
    /sent a moment ago.*Try again in (60 seconds|1 minute)/,
  );
  await page.getByLabel('Code').fill(await app.code('+998901234567'));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(/\/account$/);
  // On shared pages the phone chose its market, and the account is that market's.
  const { body } = await app.get('/api/v1/auth/session', {
    token: (await context.cookies()).find(({ name }) => name === 'firstproof')?.value,
  });
  assert.equal(body.tenant, 'uz');
  assert.match(await page.locator('main').innerText(), /\+998 90 123 45 67/);
  await context.close();
});

test('with JavaScript the number falls into the groups of its country as it is typed', async () => {
  const { context, page } = await openContext(browser, app);
  await page.goto('/sign-in');
  const field = page.getByLabel('Phone number');
  await field.pressSequentially('4155552671');
  assert.equal(await field.inputValue(), '(415) 555-2671');
  await page.getByLabel('Country').selectOption('GB');
  await field.fill('');
  await field.pressSequentially('07400123456');
  assert.equal(await field.inputValue(), '07400 123456');
  await field.fill('');
  await field.pressSequentially('+4915112345678');
  assert.equal(await field.inputValue(), '+4915112345678', 'an international number is left as it is');
  await context.close();
});

test('a code that opens nothing any more is told so once, beside the field, and another is the next step', async () => {
  const { context, page } = await openContext(browser, app);
  for (const [email, sentence, end] of [
    ['five-wrong@example.com', 'Too many wrong codes. Ask for a new one.', 'wrong'],
    ['too-late@example.com', 'This code has expired. Ask for a new one.', 'late'],
  ] as const) {
    await page.goto('/sign-in?with=email');
    await page.getByLabel('E-mail address').fill(email);
    await submit(page);
    await page.waitForURL(/\/verify/);
    const code = await app.code(email);
    const wrong = code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
    if (end === 'late') app.clock.advance(301);
    for (let left = end === 'late' ? 0 : 4; left >= 0; left--) {
      const answered = page.waitForResponse((response) => response.request().method() === 'GET');
      await typeCode(page, wrong);
      await answered;
      const told = left === 0 ? sentence : new RegExp(`^${left} attempts? left`);
      await page.locator('.field').getByText(told).first().waitFor();
    }
    if (end === 'wrong') app.clock.advance(61);
    await page.reload();
    const text = await page.locator('main').innerText();
    assert.equal(text.split(sentence).length, 2, 'told once');
    assert.doesNotMatch(text, /The code works for|Check it and try again|attempts? left/);
    assert.equal(await page.getByLabel('Code').getAttribute('aria-invalid'), 'true');
    const before = await app.newestMessage(email);
    await page.locator('.button:not(.plain)', { hasText: 'Send the code again' }).click();
    await page.getByText('We sent the code again.').waitFor();
    await typeCode(page, await app.code(email, { after: before }));
    await page.waitForURL(/\/account$/);
    await context.clearCookies();
  }
  await context.close();
});

test('a code for a Telegram account', async () => {
  const { context, page } = await openContext(browser, app);
  const person = { id: 7_001_001, first_name: 'Ada' };
  await page.goto('/sign-in?with=telegram');
  await page.getByText('Type my Telegram user id instead').click();
  const send = page.getByRole('button', { name: 'Send me a code' });
  await page.getByLabel('Telegram user id').fill(String(person.id));
  await send.click();
  assert.match(
    await page.locator('[role=alert]').innerText(),
    /The bot does not know you yet.*https:\/\/t\.me\//s,
  );
  await telegramOf(app).write(person, '/start');
  await page.getByLabel('Telegram user id').fill('7001001');
  await send.click();
  await page.waitForURL(/\/verify/);
  assert.match(await page.locator('main').innerText(), /in Telegram to •••001/);
  await typeCode(page, await app.code('7001001'));
  await page.waitForURL(/\/account$/);
  await context.close();
});

test('a wrong code says what is left, a reload spends nothing, the countdown lets the code be sent again', async () => {
  const { context, page } = await openContext(browser, app);
  await page.goto('/sign-in?with=email');
  await page.getByLabel('E-mail address').fill('wrong@example.com');
  await submit(page);
  await page.waitForURL(/\/verify/);
  const code = await app.code('wrong@example.com');
  await typeCode(page, code === '111111' ? '222222' : '111111');
  await page.getByText('This code is not right').waitFor();
  assert.match(await page.locator('main').innerText(), /4 attempts left/);
  await page.reload();
  assert.match(await page.locator('main').innerText(), /4 attempts left/);
  const resend = page.locator('form[action$="/verify/resend"] button');
  assert.equal(await resend.isEnabled(), false);
  assert.match(await resend.innerText(), /Send again in [01]:\d\d/);
  app.clock.advance(61);
  await page.reload();
  await page.getByRole('button', { name: 'Send the code again' }).click();
  await page.getByText('We sent the code again.').waitFor();
  await typeCode(page, code);
  await page.waitForURL(/\/account$/);
  await context.close();
});

test('back from the account is told who is signed in; a refused form leads back to its page by a reload or another language', async () => {
  const { context, page } = await openContext(browser, app);
  await page.goto('/sign-in?with=email');
  await page.getByLabel('E-mail address').fill('back@example.com');
  await submit(page);
  await page.waitForURL(/\/verify/);
  await typeCode(page, await app.code('back@example.com'));
  await page.waitForURL(/\/account$/);
  await page.goBack();
  await page.getByRole('link', { name: 'Continue as back@example.com' }).click();
  await page.waitForURL(/\/account$/);
  await page.getByRole('textbox', { name: /Username/ }).fill('?');
  await page.locator('form[action$="/account/username"] button').click();
  await page.locator('[aria-invalid=true]').waitFor();
  assert.match(page.url(), /\/account\/username$/);
  await page.locator('.languages summary').click();
  await page.getByRole('link', { name: 'Русский' }).click();
  await page.waitForURL(/\/account$/);
  await page.getByRole('heading', { name: 'Ваш аккаунт' }).waitFor();
  for (const [form, home] of [
    ['/verify/resend', /\/sign-in$/],
    ['/telegram/done', /\/telegram$/],
    ['/telegram/login', /\/sign-in$/],
    ['/account/remove', /\/account$/],
  ] as const) {
    await page.goto(form);
    assert.match(page.url(), home);
  }
  await context.close();
});

test('two tabs with two sign-ins do not get into each other’s way', async () => {
  const { context, page } = await openContext(browser, app);
  const other = await context.newPage();
  for (const [tab, email] of [
    [page, 'one-tab@example.com'],
    [other, 'other-tab@example.com'],
  ] as const) {
    await tab.goto('/sign-in?with=email');
    await tab.getByLabel('E-mail address').fill(email);
    await submit(tab);
    await tab.waitForURL(/\/verify/);
  }
  await typeCode(page, await app.code('one-tab@example.com'));
  await page.waitForURL(/\/account$/);
  assert.match(await page.locator('main').innerText(), /one-tab@example\.com/);
  // Its form was shown before somebody signed in here: it says so, and the next try works.
  await other.bringToFront();
  await typeCode(other, await app.code('other-tab@example.com'));
  await other.getByText('This form waited too long').waitFor();
  assert.equal(await other.getByLabel('Code').inputValue(), await app.code('other-tab@example.com'));
  await other.getByRole('button', { name: 'Continue' }).click();
  await other.waitForURL(/\/account$/);
  assert.match(await other.locator('main').innerText(), /other-tab@example\.com/);
  await context.close();
});

test('where no code can be sent the pages say so and lead to none that needs one; Telegram alone signs up at the sign-in', async () => {
  const production = await createPagesApp({
    env: {
      FIRSTPROOF_MODE: 'production',
      FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
      FIRSTPROOF_SECRET: 'n7Qm2xV9rT4cW8kZ1pL6sD3fG5hJ0bYa-test',
    },
  });
  const telegram = await createPagesApp({ tenants: { default: { channels: ['telegram'] } } });
  try {
    const signIn = await (await fetch(`${production.url}/t/default/sign-in`)).text();
    assert.doesNotMatch(signIn, /href="[^"]*\/(sign-up|forgot)/);
    for (const path of ['/t/default/sign-up', '/t/default/forgot']) {
      const answer = await fetch(`${production.url}${path}`);
      assert.equal(answer.status, 503);
      assert.match(await answer.text(), /No code can be sent here/);
    }
    const page = await (await fetch(`${telegram.url}/t/default/sign-in`)).text();
    assert.doesNotMatch(page, /href="[^"]*\/sign-up/);
    const answer = await fetch(`${telegram.url}/t/default/sign-up`, { redirect: 'manual' });
    assert.equal(answer.headers.get('location'), '/t/default/sign-in');
  } finally {
    await Promise.all([production.close(), telegram.close()]);
  }
});
