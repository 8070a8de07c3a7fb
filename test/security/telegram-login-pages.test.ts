import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { newCaller } from '../race/started.ts';
import type { LoginPerson } from '../telegram/fake-login.ts';
import { createLoginApp, newPerson } from '../telegram/login-app.ts';
import { createVisitor, type Visitor } from './visitor.ts';

const { app, fake, restore } = await createLoginApp();
afterEach(restore);
after(() => app.close());

const CROSS_SITE = { 'sec-fetch-site': 'cross-site' };

/** What Telegram would open in this browser after the person has said yes. */
async function leave(browser: Visitor, person: LoginPerson): Promise<string> {
  const page = await browser.get('/sign-in?with=telegram');
  assert.match(page.text, /Telegram’s own page/);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /form-action 'self' https:\/\/oauth\.telegram\.org;/);
  const left = await browser.post('/telegram/login', {});
  assert.equal(left.status, 303);
  const target = left.headers.get('location') ?? '';
  assert.equal(new URL(target).searchParams.get('redirect_uri'), 'https://auth.test/telegram/back');
  return `/telegram/back?${new URLSearchParams(fake.approve(target, person)).toString()}`;
}

test('S38 the hosted pages lead to Telegram and back: signed in is the browser that began, once', async () => {
  const [browser, other] = [createVisitor(app, newCaller()), createVisitor(app, newCaller())];
  const back = await leave(browser, newPerson());
  const elsewhere = await other.get(back, CROSS_SITE);
  assert.equal(elsewhere.status, 410, 'an answer put before another browser is nothing');
  const done = await browser.get(back, CROSS_SITE);
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/account'], done.text);
  assert.match((await browser.get('/account')).text, /Mia/);
  assert.equal((await browser.get(back)).status, 410);
  assert.equal((await other.get('/account')).status, 303);
});

test('S38 who says no at Telegram is told so, and is nobody; without a client there is no such button', async () => {
  const browser = createVisitor(app, newCaller());
  const back = await leave(browser, newPerson());
  const state = new URL(back, app.url).searchParams.get('state') ?? '';
  const denied = await browser.get(`/telegram/back?error=access_denied&state=${state}`);
  assert.equal(denied.status, 403);
  assert.equal((await browser.get('/account')).status, 303);
  const elsewhere = await createVisitor(app, newCaller()).get('/t/us/sign-in?with=telegram');
  assert.doesNotMatch(elsewhere.text, /telegram\/login/);
  assert.doesNotMatch(elsewhere.headers.get('content-security-policy') ?? '', /oauth\.telegram/);
});
