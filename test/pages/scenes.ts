import type { Page } from 'playwright-core';
import type { TestApp } from '../create-test-app.ts';
import { buttonOf } from '../telegram/link.ts';
import { simulateChat, type SimulatedChat } from '../telegram/simulated-chat.ts';
import { typeCode } from './browser.ts';

/** A page as somebody may come to see it. */
export interface Scene {
  name: string;
  open: (page: Page, app: TestApp) => Promise<void>;
}

let people = 0;

/** Each scene is somebody else, so that no budget of one touches another. */
async function somebody(app: TestApp, page: Page): Promise<string> {
  people += 1;
  await page.setExtraHTTPHeaders({ 'x-forwarded-for': `198.51.${people >> 8}.${people & 255}` });
  const slug = 'default';
  const tenant = app.app.tenants.bySlug(slug);
  if (!tenant) throw new Error('no tenant');
  return `scene-${people}@example.com`;
}

async function startByEmail(page: Page, app: TestApp): Promise<string> {
  const email = await somebody(app, page);
  await page.goto('/sign-in?with=email');
  await page.locator('#field-email').fill(email);
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL(/verify/);
  return email;
}

async function signInByEmail(page: Page, app: TestApp): Promise<string> {
  const email = await startByEmail(page, app);
  await typeCode(page, await app.code(email));
  await page.waitForURL(/\/account$/);
  return email;
}

/** An account of the tenant `default` that lay idle, with a phone number, an address and a password. */
export async function makeIdleAccount(
  app: TestApp,
  { phone, email, from }: { phone: string; email: string; from: string },
): Promise<void> {
  const headers = { 'x-tenant': 'default' };
  const { body } = await app.signIn({ phone }, {}, { from, headers });
  const token = body.access_token as string;
  const sent = await app.post('/api/v1/auth/identities', { email }, { token, from });
  const linked = { verification_id: sent.body.verification_id, code: await app.code(email) };
  await app.post('/api/v1/auth/verify-code', linked, { token, from });
  await app.post('/api/v1/auth/change-password', { new_password: IDLE_PASSWORD }, { token, from });
  await app.databases.control
    .sql`update users set last_login = last_login - interval '91 days' where id = ${body.user.id}`;
  app.clock.advance(61);
}
export const IDLE_PASSWORD = 'violet harbour 19 mandolin';

/** Types the code of a number whose account has an e-mail address and a password, and lay idle. */
export async function startSecondProof(page: Page, app: TestApp): Promise<{ phone: string; email: string }> {
  const email = await somebody(app, page);
  const phone = `+1415557${String(people).padStart(4, '0')}`;
  await makeIdleAccount(app, { phone, email, from: `198.52.${people >> 8}.${people & 255}` });
  const before = await app.newestMessage(phone);
  await page.goto('/t/default/sign-in');
  await page.locator('#field-phone').fill(phone);
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL(/verify/);
  await typeCode(page, await app.code(phone, { after: before }));
  await page.waitForURL(/second-proof/);
  return { phone, email };
}

async function startForgotten(page: Page, app: TestApp): Promise<void> {
  const email = await signInByEmail(page, app);
  const before = await app.newestMessage(email);
  app.clock.advance(61);
  await page.goto('/forgot?with=email');
  await page.locator('#field-email').fill(email);
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL(/verify/);
  await typeCode(page, await app.code(email, { after: before }));
  await page.waitForURL(/reset/);
}

/** Somebody with a long name, a long address, a username and a password. */
async function signUpWhole(page: Page, app: TestApp): Promise<string> {
  await somebody(app, page);
  const email = `wilhelmina.featherstonehaugh-macgillivray.${people}@correspondence.example.com`;
  await page.goto('/sign-up?with=email');
  await page.locator('#field-email').fill(email);
  await page.locator('#field-first_name').fill('Wilhelmina Alexandrovna');
  await page.locator('#field-last_name').fill('Featherstonehaugh-MacGillivray');
  await page.locator('#field-password').fill('seven quiet otters on a raft');
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL(/verify/);
  await typeCode(page, await app.code(email));
  await page.waitForURL(/\/account$/);
  return email;
}

/** The same, with a phone and a Telegram account beside the address. */
async function withAddresses(page: Page, app: TestApp): Promise<void> {
  await signUpWhole(page, app);
  const phone = `+1415555${String(2600 + people)}`;
  await page.goto('/account/add?with=phone');
  await page.locator('#field-phone').fill(phone);
  await page.locator('main form button[type=submit]').click();
  await page.waitForURL(/verify/);
  await typeCode(page, await app.code(phone));
  await page.waitForURL(/\/account$/);
  await page.goto('/account/add?with=telegram');
  await page.locator('main form button[type=submit]').click();
  await page.waitForURL(/telegram/);
  await answerLink(app, page, 'confirm');
  await page.waitForURL(/\/account$/);
}

async function startByPhone(page: Page, app: TestApp): Promise<string> {
  await somebody(app, page);
  const phone = `+1415555${String(2600 + people)}`;
  await page.goto('/sign-in?with=phone');
  await page.locator('#field-phone').fill(phone);
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL(/verify/);
  return phone;
}

async function startTelegram(page: Page, app: TestApp): Promise<void> {
  await somebody(app, page);
  await page.goto('/telegram');
  await page.locator('main form button[type=submit]').click();
  await page.waitForURL(/flow=/);
}

/** What a person in Telegram does with the link of this page: opens it, and presses what `answer` says. */
export async function answerLink(
  app: TestApp,
  page: Page,
  answer: 'confirm' | 'deny' | 'open',
): Promise<SimulatedChat> {
  const chat = simulateChat(app);
  const url = (await page.locator('main a[href^="https://t.me/"]').getAttribute('href')) ?? '';
  const number = await page.locator('.number').innerText();
  const asked = await chat.say(`/start ${new URL(url).searchParams.get('start') ?? ''}`);
  if (answer === 'open') return chat;
  const sure = await chat.press(buttonOf(asked, answer === 'deny' ? 'no' : number));
  if (answer === 'confirm') await chat.press(buttonOf(sure, 'yes'));
  return chat;
}

async function denyLink(app: TestApp, page: Page): Promise<void> {
  await answerLink(app, page, 'deny');
  await page.locator('.number').waitFor({ state: 'detached' });
}

const go = (path: string) => async (page: Page) => {
  await page.goto(path);
};

/** Every page, in the states that look different. */
export const scenes: readonly Scene[] = [
  { name: 'home', open: go('/') },
  { name: 'sign-in-phone', open: go('/sign-in') },
  { name: 'sign-in-email', open: go('/sign-in?with=email') },
  { name: 'sign-in-telegram', open: go('/sign-in?with=telegram') },
  { name: 'telegram', open: go('/telegram') },
  { name: 'telegram-waiting', open: startTelegram },
  { name: 'telegram-expired', open: go('/telegram?flow=abcdefgh') },
  {
    name: 'telegram-denied',
    open: async (page, app) => {
      await startTelegram(page, app);
      await denyLink(app, page);
      await page.locator('main form button').waitFor();
    },
  },
  { name: 'sign-in-password', open: go('/sign-in?with=email&by=password') },
  {
    name: 'sign-in-wrong',
    open: async (page, app) => {
      await somebody(app, page);
      await page.goto('/sign-in');
      await page.locator('#field-phone').fill('123');
      await page.locator('form button[type=submit]').first().click();
      await page.locator('.wrong').first().waitFor();
    },
  },
  {
    name: 'sign-in-unknown',
    open: async (page, app) => {
      const email = await somebody(app, page);
      await page.goto('/sign-in?with=email&by=password');
      await page.locator('#field-email').fill(email);
      await page.locator('#field-password').fill('violet harbour 19 mandolin');
      await page.locator('form button[type=submit]').first().click();
      await page.locator('[role=alert]').waitFor();
    },
  },
  { name: 'sign-up', open: go('/sign-up?with=email') },
  {
    name: 'verify',
    open: async (page, app) => {
      await startByEmail(page, app);
    },
  },
  {
    name: 'verify-wrong',
    open: async (page, app) => {
      const email = await startByEmail(page, app);
      const code = await app.code(email);
      await typeCode(
        page,
        code.replace(/^./, (digit) => String((Number(digit) + 1) % 10)),
      );
      await page.locator('.wrong:visible').first().waitFor();
    },
  },
  {
    name: 'verify-over',
    open: async (page, app) => {
      await startByEmail(page, app);
      app.clock.advance(301);
      await page.reload();
    },
  },
  { name: 'verify-phone', open: async (page, app) => void (await startByPhone(page, app)) },
  {
    name: 'second-proof',
    open: async (page, app) => {
      await startSecondProof(page, app);
    },
  },
  { name: 'verify-nothing', open: go('/verify') },
  { name: 'forgot', open: go('/forgot') },
  { name: 'reset', open: startForgotten },
  {
    name: 'account',
    open: async (page, app) => {
      await signInByEmail(page, app);
    },
  },
  { name: 'account-whole', open: withAddresses },
  {
    name: 'add-address',
    open: async (page, app) => {
      await signInByEmail(page, app);
      await page.goto('/account/add');
    },
  },
  {
    name: 'add-telegram',
    open: async (page, app) => {
      await signInByEmail(page, app);
      await page.goto('/account/add?with=telegram');
    },
  },
  {
    name: 'prove',
    open: async (page, app) => {
      await withAddresses(page, app);
      app.clock.advance(400);
      await page.goto('/account/password');
    },
  },
  {
    name: 'new-password',
    open: async (page, app) => {
      await signInByEmail(page, app);
      await page.goto('/account/password');
    },
  },
  {
    name: 'devices',
    open: async (page, app) => {
      const email = await signInByEmail(page, app);
      app.clock.advance(120);
      await app.signIn(
        { email },
        { device: { name: 'Kitchen tablet', kind: 'browser' } },
        { from: '203.0.113.9' },
      );
      await page.goto('/account/devices');
    },
  },
  {
    name: 'sign-out',
    open: async (page, app) => {
      await signInByEmail(page, app);
      await page.goto('/sign-out');
    },
  },
  {
    name: 'already',
    open: async (page, app) => {
      await signInByEmail(page, app);
      await page.goto('/sign-in');
    },
  },
  { name: 'signed-out', open: go('/sign-out') },
  { name: 'not-found', open: go('/nothing-here') },
  { name: 'no-tenant', open: go('/t/nobody/sign-in') },
  { name: 'bad-return', open: go('/sign-in?return_to=https://evil.example/') },
];
