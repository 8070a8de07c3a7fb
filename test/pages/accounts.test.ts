import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { persianDigits } from '../persian-digits.ts';
import { createPagesApp, openContext, startBrowser, typeCode } from './browser.ts';

const FIRST = 'correct horse battery staple';
const SECOND = 'seven quiet otters on a raft';
const customFields = {
  type: 'object',
  required: ['school', 'grade'],
  order: ['newsletter'],
  properties: {
    school: { type: 'string', title: 'School', maxLength: 80 },
    grade: { type: 'integer', title: 'Grade', minimum: 1, maximum: 12 },
    subjects: { type: 'array', title: 'Subjects', items: { enum: ['maths', 'music'] } },
    newsletter: { type: 'boolean', title: 'Newsletter' },
  },
};

let browser: Browser;
let app: TestApp;

before(async () => {
  [browser, app] = await Promise.all([
    startBrowser(),
    createPagesApp({
      tenants: {
        default: { custom_fields: customFields },
        us: { required_fields: ['username', 'password'] },
      },
    }),
  ]);
});
after(async () => {
  await browser?.close();
  await app?.close();
});

const submit = (page: Page) => page.locator('form button[type=submit]').first().click();

test('signs up with a password and custom fields, forgets it, chooses another, signs in with it', async () => {
  const { context, page } = await openContext(browser, app);
  const email = 'pupil@example.com';
  await page.goto('/sign-up?with=email');
  await page.getByLabel('E-mail address').fill(email);
  const names = await page
    .locator('[name^="custom_fields."]')
    .evaluateAll((fields) => fields.map((field) => field.getAttribute('name')?.split('.')[1]));
  assert.deepEqual(
    [...new Set(names)],
    ['newsletter', 'school', 'grade', 'subjects'],
    'as the schema orders',
  );
  await page.getByLabel('First name').fill('Ada');
  await page.getByLabel('School').fill('Akilesiya');
  await page.getByLabel('Grade').fill('thirteen');
  await page.getByLabel('music').check();
  await page.getByLabel('Password').fill('short');
  await submit(page);
  // What is wrong is told beside the fields; what was typed is still there, the password is not.
  await page.getByText('Please check what is marked below.').waitFor();
  assert.equal(await page.getByLabel('Grade').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel('School').inputValue(), 'Akilesiya');
  assert.equal(await page.getByLabel('music').isChecked(), true);
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  await page.getByLabel('Grade').fill('7');
  await page.getByLabel('Password').fill(FIRST);
  await submit(page);
  await page.waitForURL(/\/verify/);
  await typeCode(page, await app.code(email));
  await page.waitForURL(/\/account$/);
  assert.equal(await page.getByLabel('Grade').inputValue(), '7');
  await page.getByLabel('School').fill('Another');
  await page.getByRole('region', { name: 'Profile' }).getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  assert.equal(await page.getByLabel('School').inputValue(), 'Another');
  assert.equal(await page.getByLabel('music').isChecked(), true);
  await context.close();

  const other = await openContext(browser, app, { javaScriptEnabled: false });
  await other.page.goto('/sign-in?with=email&by=password');
  await other.page.getByLabel('E-mail address').fill(email);
  await other.page.getByLabel('Password').fill('not this one');
  await submit(other.page);
  await other.page.getByText('These sign-in details are not right.').waitFor();
  assert.equal(await other.page.getByLabel('E-mail address').inputValue(), email);
  app.clock.advance(61);
  await other.page.getByRole('link', { name: 'Forgot your password?' }).click();
  await other.page.getByLabel('E-mail address').fill(email);
  await submit(other.page);
  await other.page.waitForURL(/\/verify/);
  await typeCode(other.page, await app.code(email, { not: 'none' }), false);
  await other.page.waitForURL(/\/reset/);
  await other.page.getByLabel('New password').fill(SECOND);
  await submit(other.page);
  await other.page.getByText('Your new password is saved.').waitFor();
  await other.context.close();

  const third = await openContext(browser, app);
  await third.page.goto('/sign-in?with=email&by=password');
  await third.page.getByLabel('E-mail address').fill(email);
  await third.page.getByLabel('Password', { exact: true }).fill(SECOND);
  await submit(third.page);
  await third.page.waitForURL(/\/account$/);
  await third.context.close();
});

test('all that is wrong with a sign-up is told at once, also beside an address that cannot be read', async () => {
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  await page.goto('/sign-up?with=email');
  await page.getByLabel('E-mail address').fill('nonsense');
  await page.getByLabel('Grade').fill('thirteen');
  await submit(page);
  for (const label of ['E-mail address', 'School', 'Grade'])
    assert.equal(await page.getByLabel(label).getAttribute('aria-invalid'), 'true', label);
  await page.getByText('Write a whole number here.').waitFor();
  await page.getByLabel('Grade').fill('13');
  await submit(page);
  await page.getByText('At most 12.').waitFor();
  await page.goto('/t/us/sign-up?with=email');
  await submit(page);
  for (const label of ['E-mail address', 'Username', 'Password'])
    assert.equal(await page.getByLabel(label).getAttribute('aria-invalid'), 'true', label);
  await context.close();
});

test('in Persian, from right to left and without JavaScript, somebody signs in; another language is a press away', async () => {
  const { context, page } = await openContext(browser, app, { locale: 'fa-IR', javaScriptEnabled: false });
  await page.goto('/sign-in?with=email');
  assert.equal(await page.locator('html').getAttribute('dir'), 'rtl');
  await page.locator('#field-email').fill('maryam@example.com');
  await submit(page);
  await page.waitForURL(/\/verify/);
  await page.locator('#field-code').fill(persianDigits(await app.code('maryam@example.com')));
  await submit(page);
  await page.waitForURL(/\/account$/);
  await page.getByText('خوش آمدید. حساب شما آماده است.').waitFor();
  await page.locator('.languages summary').click();
  await page.getByRole('link', { name: 'Русский' }).click();
  await page.waitForURL(/\/account$/);
  assert.equal(await page.locator('html').getAttribute('lang'), 'ru');
  assert.equal(await page.locator('html').getAttribute('dir'), 'ltr');
  await context.close();
});

test('ten thousand characters in every field, links without their state, cookies switched off: a page that says so', async () => {
  const { context, page } = await openContext(browser, app);
  for (const path of [
    '/sign-in',
    '/sign-in?with=email',
    '/sign-in?with=email&by=password',
    '/sign-up?with=email',
    '/forgot?with=email',
  ]) {
    await page.goto(path);
    for (const field of await page.locator('form input:not([type=hidden]):not([type=checkbox])').all()) {
      await field.fill('ä'.repeat(10_000));
    }
    await submit(page);
    await page.locator('[aria-invalid=true]').first().waitFor();
    assert.ok((await page.locator('[role=alert]').innerText()).length > 0, path);
  }
  for (const path of [
    '/verify',
    '/verify?flow=abcdefgh',
    '/reset',
    '/reset?flow=../../etc',
    '/t/none/sign-in',
    '/t/us/none',
  ]) {
    const answer = await page.goto(path);
    assert.ok([404, 410].includes(answer?.status() ?? 0), path);
    assert.ok(await page.locator('main a.button').isVisible(), path);
  }
  await page.goto('/sign-in?with=email');
  await context.clearCookies();
  await page.getByLabel('E-mail address').fill('kept@example.com');
  await submit(page);
  await page.getByText('Your browser did not send our cookie').waitFor();
  assert.equal(await page.getByLabel('E-mail address').inputValue(), 'kept@example.com');
  await submit(page);
  await page.waitForURL(/\/verify/);
  await context.close();
});

/** Signs in by e-mail; long ago, unless told otherwise. */
async function signedIn(page: Page, email: string, ago = 400, script = true): Promise<void> {
  await page.goto('/sign-in?with=email');
  await page.getByLabel('E-mail address').fill(email);
  await submit(page);
  await page.waitForURL(/\/verify/);
  await typeCode(page, await app.code(email), script);
  await page.waitForURL(/\/account$/);
  app.clock.advance(ago);
}

/** On the page that asks who is there: a code to the first address, typed; then what was asked is done. */
async function proveByCode(page: Page, address: string, script = true): Promise<void> {
  await page.getByRole('heading', { name: 'Is it you?' }).waitFor();
  const before = await app.newestMessage(address);
  await page
    .getByRole('button', { name: /Send a code to/ })
    .first()
    .click();
  await page.waitForURL(/\/verify/);
  await typeCode(page, await app.code(address, { after: before }), script);
}

test('other devices are ended after a fresh proof only, and then at once: what was asked is done, once', async () => {
  const { context, page } = await openContext(browser, app);
  const email = 'devices@example.com';
  await signedIn(page, email);
  const other = await app.signIn({ email }, { device: { name: 'Kitchen tablet', kind: 'browser' } });
  await page.goto('/account/devices');
  await page.getByRole('button', { name: 'Sign out all others' }).click();
  await page.getByRole('heading', { name: 'Is it you?' }).waitFor();
  const asked = page.url();
  const alive = await app.get('/api/v1/auth/session', { token: other.body.access_token });
  assert.equal(alive.status, 200);
  app.clock.advance(61);
  await proveByCode(page, email);
  await page.waitForURL(/\/account\/devices$/);
  await page.getByText('You are signed in on this device only.').waitFor();
  const ended = await app.get('/api/v1/auth/session', { token: other.body.access_token });
  assert.equal(ended.body.error, 'SESSION_ENDED');
  await page.goto(asked);
  await page.getByRole('heading', { name: 'There is nothing to prove' }).waitFor();
  await context.close();
});

test('adds a phone, changes the e-mail address and removes the phone: each told, the last address kept', async () => {
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  const email = 'moving@example.com';
  const phone = '+14155552690';
  await signedIn(page, email, 400, false);
  assert.equal(await page.getByText('Remove', { exact: true }).count(), 0, 'the only address stays');
  await page.getByRole('link', { name: 'Add an address' }).click();
  await page.getByLabel('Phone number').fill(phone);
  await submit(page);
  await proveByCode(page, email, false);
  // Back at what was asked: the code for the new number is on its way.
  await page.getByText('We sent it by SMS').waitFor();
  await typeCode(page, await app.code(phone), false);
  await page.getByText('Added. We told your other addresses.').waitFor();
  assert.match(await page.locator('main').innerText(), /\+1 415 555 2690/);

  await page.getByRole('link', { name: /Change moving@example\.com/ }).click();
  await page.getByLabel('E-mail address').fill('moved@example.com');
  await submit(page);
  await page.waitForURL(/\/verify/);
  await typeCode(page, await app.code('moved@example.com'), false);
  await page.getByText('Changed. The old address was told').waitFor();
  assert.match(await page.locator('main').innerText(), /moved@example\.com/);
  assert.doesNotMatch(await page.locator('main').innerText(), /moving@example\.com/);

  await page.locator('li', { hasText: '415 555 2690' }).locator('summary').click();
  await page.locator('li', { hasText: '415 555 2690' }).getByRole('button', { name: 'Remove' }).click();
  await page.getByText('Removed. The address was told').waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /415 555 2690/);
  await until(async () => {
    const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(phone)}&limit=5`);
    return (body as { text: string }[]).some(({ text }) => /https?:\/\//.test(text));
  });
  await context.close();
});

test('an address of somebody else is not added, and the page says so', async () => {
  const { context, page } = await openContext(browser, app);
  await app.signIn({ email: 'taken@example.com' });
  await signedIn(page, 'wanting@example.com', 0);
  await page.goto('/account/add?with=email');
  await page.getByLabel('E-mail address').fill('taken@example.com');
  await submit(page);
  await page.getByText('This address belongs to an account already.').waitFor();
  const field = page.getByLabel('E-mail address');
  assert.equal(await field.inputValue(), 'taken@example.com');
  // The sentence is the field's, and that is where the person goes on.
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  const told = page.locator(`#${await field.getAttribute('aria-describedby')}`);
  assert.match(await told.innerText(), /belongs to an account already/);
  assert.equal(await page.evaluate('document.activeElement.id'), 'field-email');
  await context.close();
});

test('chooses a password and a username after a proof; the password proves the next change', async () => {
  const { context, page } = await openContext(browser, app);
  const email = 'chooser@example.com';
  await signedIn(page, email);
  await page.getByRole('link', { name: 'Choose a new password' }).click();
  await proveByCode(page, email);
  await page.waitForURL(/\/account\/password$/);
  await page.getByLabel('New password').fill('password1');
  await submit(page);
  await page.locator('[aria-invalid=true]').waitFor();
  await page.getByLabel('New password').fill(SECOND);
  await submit(page);
  await page.getByText('Your new password is saved.').waitFor();

  app.clock.advance(400);
  await page.goto('/account');
  const username = page.getByRole('textbox', { name: /Username/ });
  await username.fill('chooser');
  await page.locator('form[action$="/account/username"] button').click();
  await page.getByLabel('Password', { exact: true }).fill('not this one');
  await page.getByRole('button', { name: 'Continue with my password' }).click();
  await page.getByText('These sign-in details are not right.').waitFor();
  await page.getByLabel('Password', { exact: true }).fill(SECOND);
  await page.getByRole('button', { name: 'Continue with my password' }).click();
  await page.getByText('Saved.').waitFor();
  assert.equal(await username.inputValue(), 'chooser');
  await context.close();
});

test('names and usernames of the account keep the rules of sign-up, and each is told beside its field', async () => {
  const { context, page } = await openContext(browser, app, { javaScriptEnabled: false });
  await signedIn(page, 'rules@example.com', 0, false);
  const save = (form: string) => page.locator(`form[action$="${form}"] button`).click();
  for (const [wrong, told] of [
    ['\u202eadA', 'Some characters cannot be used here.'],
    ['A'.repeat(101), 'This is too long: 100 characters at most.'],
  ] as const) {
    await page.getByLabel('First name').fill(wrong);
    await save('/account');
    await page.locator('.field', { hasText: 'First name' }).getByText(told).waitFor();
    assert.equal(await page.getByLabel('First name').inputValue(), wrong, 'what was typed is still there');
  }
  const username = page.getByRole('textbox', { name: /Username/ });
  for (const wrong of ['?', 'x', 'somebody@example.com', '+14155552671', 'a'.repeat(65)]) {
    await username.fill(wrong);
    await save('/account/username');
    await page.locator('#field-username-wrong').waitFor();
  }
  await page.goto('/account');
  assert.equal(await page.getByLabel('First name').inputValue(), '');
  assert.equal(await username.inputValue(), '');
  await context.close();
});

test('S32 a change that waits for its proof is made in the session that asked for it, and in no other', async () => {
  const { context, page } = await openContext(browser, app);
  await signedIn(page, 'first-owner@example.com');
  await page.getByRole('link', { name: 'Choose a new password' }).click();
  await page.getByRole('heading', { name: 'Is it you?' }).waitFor();
  const asked = page.url();
  // Somebody else signs in in this browser.
  await page.goto('/sign-in?with=email&another=1');
  await page.getByLabel('E-mail address').fill('second-owner@example.com');
  await submit(page);
  await page.waitForURL(/\/verify/);
  await typeCode(page, await app.code('second-owner@example.com'));
  await page.waitForURL(/\/account$/);
  const answer = await page.goto(asked);
  assert.equal(answer?.status(), 404);
  await page.getByRole('heading', { name: 'There is nothing to prove' }).waitFor();
  await context.close();
});
