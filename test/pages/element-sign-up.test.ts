import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createElementSite, type ElementSite } from './element-site.ts';
import { violationsOf } from './browser.ts';

const STRONG = 'wet lemons on the ledge';
const schema = {
  type: 'object',
  required: ['grade', 'shirt', 'terms'],
  properties: {
    grade: { type: 'integer', title: 'Grade', minimum: 1, maximum: 12, titles: { fa: 'پایه' } },
    shirt: { type: 'string', title: 'Shirt', enum: ['small', 'large'] },
    terms: { type: 'boolean', title: 'I have read the rules' },
    sports: { type: 'array', title: 'Sports', items: { enum: ['chess', 'judo'] } },
    about: { type: 'string', title: 'About you', maxLength: 500 },
    school: { type: 'object', title: 'School', properties: { 'home town': { type: 'string' } } },
  },
};

let site: ElementSite;
before(async () => {
  site = await createElementSite({
    tenants: { us: { required_fields: ['first_name', 'password'], custom_fields: schema } },
  });
});
after(() => site?.close());

test('somebody signs up: what is wrong is told beside each field, nothing typed is lost, and the code opens the account', async () => {
  const { app } = site;
  const email = 'ada@example.com';
  const { context, page, answer } = await site.open({ tenant: 'us', with: 'email' });
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'New here? Create an account' }).click();
  await page.getByRole('heading', { name: 'Create your account' }).waitFor();
  assert.equal(await page.getByLabel('E-mail address').inputValue(), email);

  const send = page.getByRole('button', { name: 'Send me a code' });
  await send.click();
  assert.equal(await page.getByText('Fill this in.').count(), 4, 'first name, grade, shirt, password');
  await page.getByLabel('First name').fill('Adda');
  await page.getByLabel('Grade').fill('13');
  await page.getByLabel('Shirt').selectOption('large');
  await page.getByLabel('judo').check();
  await page.getByLabel('Home town').fill('Turin');
  await page.getByLabel('Password').fill('short');
  await send.click();
  await page.getByText('Please check what is marked below.').waitFor();
  assert.equal(await page.getByLabel('Grade').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel('I have read the rules').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel('Shirt').getAttribute('aria-invalid'), null);
  await page.getByLabel('Grade').fill('7');
  await page.getByLabel('I have read the rules').check();
  await send.click();
  await page.getByText(/This is too short: at least \d+ characters\./).waitFor();
  await page.getByLabel('Password').fill(STRONG);
  await send.click();
  await page.getByText('We sent it to a•••@example.com.').waitFor();
  const first = await app.code(email);

  // Corrected while its code lives: the same registration, and the same code.
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByLabel('First name').fill('Ada');
  assert.equal(await page.getByLabel('Home town').inputValue(), 'Turin');
  assert.equal(await page.getByLabel('judo').isChecked(), true);
  assert.equal(await page.getByLabel('Password').inputValue(), '', 'a password is not kept');
  await page.getByLabel('Password').fill(STRONG);
  await send.click();
  await page.getByLabel('Code').fill(first);
  await page.getByText('Hello, Ada.').waitFor();
  const { access_token: token, is_new_user: isNew, user } = await answer;
  assert.equal(isNew, true);
  assert.deepEqual(user.custom_fields, {
    grade: 7,
    shirt: 'large',
    terms: true,
    sports: ['judo'],
    school: { 'home town': 'Turin' },
  });
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  const us = { headers: { 'x-tenant': 'us' } };
  assert.equal((await app.post('/api/v1/auth/login', { email, password: STRONG }, us)).status, 200);
  await context.close();

  // Once more: the account is there.
  const again = await site.open({ tenant: 'us', with: 'email', view: 'sign-up' });
  await again.page.getByLabel('E-mail address').fill(email);
  await again.page.getByLabel('First name').fill('Ada');
  await again.page.getByLabel('Grade').fill('7');
  await again.page.getByLabel('Shirt').selectOption('large');
  await again.page.getByLabel('I have read the rules').check();
  await again.page.getByLabel('Password').fill(STRONG);
  await again.page.getByRole('button', { name: 'Send me a code' }).click();
  await again.page.getByText('There is an account with this address already.').waitFor();
  await again.page.getByRole('button', { name: 'I already have an account' }).click();
  await again.page.getByRole('heading', { name: 'Sign in to Market US' }).waitFor();
  assert.equal(await again.page.getByLabel('E-mail address').inputValue(), email);
  await again.context.close();
});

test('a password that somebody else typed at sign-up is not kept: one is chosen, or left for later, before the page hears of it', async () => {
  const { app } = site;
  const chosen = 'brass kettles in the garden';
  for (const email of ['later@example.com', 'now@example.com']) {
    await app.post('/api/v1/auth/register', { email, password: STRONG });
    const before = await app.code(email);
    app.clock.advance(61);
    const { context, page, answer } = await site.open({ with: 'email' });
    await page.getByRole('button', { name: 'Use a password instead' }).click();
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill('it is another one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Code').fill(await app.code(email, { not: before }));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Choose a password' }).waitFor();
    if (email.startsWith('later')) await page.getByRole('button', { name: 'Not now' }).click();
    else {
      await page.getByLabel('New password').fill(chosen);
      await page.getByRole('button', { name: 'Save' }).click();
    }
    await page.getByText(`Hello, ${email}.`).waitFor();
    const { access_token: token, is_new_user: isNew } = await answer;
    assert.equal(isNew, true);
    assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
    await context.close();
  }
  assert.equal(
    (await app.post('/api/v1/auth/login', { email: 'now@example.com', password: chosen })).status,
    200,
  );
});

test('a forgotten password: code, a new one, signed in; the old one is dead, and a token that has waited too long leads back', async () => {
  const { app } = site;
  const email = 'forgot@example.com';
  const chosen = 'brass kettles in the garden';
  const { body } = await app.post('/api/v1/auth/register', { email, password: STRONG });
  const { verification_id } = body;
  const first = await app.code(email);
  await app.post('/api/v1/auth/verify-code', { verification_id, code: first });
  app.clock.advance(61);

  const { context, page, answer } = await site.open({ with: 'email' });
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Use a password instead' }).click();
  await page.getByRole('button', { name: 'Forgot your password?' }).click();
  assert.equal(await page.getByLabel('E-mail address').inputValue(), email);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  const second = await app.code(email, { not: first });
  // Back and sent once more: the code that is on its way is the one to type.
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code').fill(second);
  await page.getByLabel('New password').fill('password1234567');
  const typeNow = (): Promise<string | null> => page.getByLabel('New password').getAttribute('type');
  await page.getByRole('button', { name: 'Show' }).click();
  assert.equal(await typeNow(), 'text');
  await page.getByRole('button', { name: 'Save and sign in' }).click();
  await page.getByText('This password is too easy to guess.').waitFor();
  assert.deepEqual(
    [await typeNow(), await page.getByLabel('New password').inputValue()],
    ['password', 'password1234567'],
  );
  app.clock.advance(601);
  await page.getByLabel('New password').fill(chosen);
  await page.getByRole('button', { name: 'Save and sign in' }).click();
  await page.getByText('A new password can be chosen for ten minutes after the code.').waitFor();
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code').fill(await app.code(email, { not: second }));
  await page.getByLabel('New password').fill(chosen);
  await page.getByRole('button', { name: 'Save and sign in' }).click();
  await page.getByText(`Hello, ${email}.`).waitFor();
  const { access_token: token } = await answer;
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  assert.equal((await app.post('/api/v1/auth/login', { email, password: STRONG })).status, 401);
  assert.equal((await app.post('/api/v1/auth/login', { email, password: chosen })).status, 200);
  await context.close();
});

test('from right to left and in the dark: no violation of axe on any of the forms, names in their own direction', async () => {
  const { app } = site;
  const email = 'leila@example.com';
  const asked = { tenant: 'us', language: 'fa', with: 'email', view: 'sign-up' };
  const { context, page, languages } = await site.open(asked, {
    colorScheme: 'dark',
    viewport: { width: 320, height: 900 },
  });
  const element = page.locator('firstproof-sign-in');
  assert.deepEqual(languages, ['fa'], 'no other language is fetched');
  const directionOf = (name: string): Promise<string> =>
    page.evaluate<string>(
      `getComputedStyle(document.querySelector('firstproof-sign-in').shadowRoot.querySelector('[name="${name}"]')).direction`,
    );
  assert.equal(await directionOf('email'), 'ltr');
  assert.equal(await directionOf('first_name'), 'rtl');
  await element.getByLabel('پایه').waitFor();
  await element.locator('[type=submit]').click();
  const wrong = await violationsOf(page);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, 'it fits a narrow screen');

  await page.evaluate("document.querySelector('firstproof-sign-in').setAttribute('view', 'forgot-password')");
  await element.locator('[name=first_name]').waitFor({ state: 'detached' });
  wrong.push(...(await violationsOf(page)));
  await app.post('/api/v1/auth/register', {
    tenant: 'us',
    email,
    password: STRONG,
    first_name: 'Leila',
    custom_fields: { grade: 7, shirt: 'small', terms: true },
  });
  const first = await app.code(email);
  await app.post('/api/v1/auth/verify-code', { tenant: 'us', email, code: first });
  app.clock.advance(61);
  await element.locator('[name=email]').fill(email);
  await element.locator('[type=submit]').click();
  await element.locator('[name=code]').fill(await app.code(email, { not: first }));
  await element.locator('[name=password]').waitFor();
  wrong.push(...(await violationsOf(page)));
  assert.deepEqual(wrong, []);
  await context.close();
});

test('where new accounts are not open nothing leads to a sign-up', async () => {
  const { app } = site;
  await app.request(
    'PATCH',
    '/api/v1/admin/tenants/us',
    { settings: { registration: 'closed' } },
    { headers: { 'x-api-key': app.apiKey } },
  );
  const { context, page } = await site.open({ tenant: 'us', with: 'email', view: 'sign-up' });
  await page.getByRole('heading', { name: 'Sign in to Market US' }).waitFor();
  await page.getByText('We send you a code. No password to remember.').waitFor();
  assert.equal(await page.getByRole('button', { name: /Create an account/ }).count(), 0);
  await context.close();
});
