import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { newCaller } from '../race/started.ts';
import { LOGIN_CLIENT } from '../telegram/fake-login.ts';
import { contactUpdate, telegramOf } from '../telegram/person.ts';
import { BACK, createLoginApp, LOGIN_PATH, newPerson, newPhone } from '../telegram/login-app.ts';

const { app, fake, restore, begin, complete, signIn } = await createLoginApp();
afterEach(restore);
after(() => app.close());

/** A number of a market would belong to that market. */
const here = { headers: { 'x-tenant': 'default' } };

test('S41 Telegram login proves the account and its phone: one account, made by one consumed verification', async () => {
  const phone = newPhone();
  const person = newPerson({ phone_number: phone, preferred_username: 'mia_w' });
  const answer = await signIn(person);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { user } = answer.body;
  assert.deepEqual(
    [user.phone, user.telegram_user_id, user.first_name, user.last_name, user.username],
    [`+${phone}`, String(person.id), 'Mia', 'Wong', 'mia_w'],
  );
  const events = await app.databases.control.sql`
    select action from audit_events where actor = ${`user:${user.id}`} order by action`;
  assert.deepEqual(
    events.map(({ action }) => action),
    ['identity.linked', 'user.created', 'user.signed_in'],
  );
  const proofs = await app.databases.control.sql`
    select kind, purpose, consumed_at is not null as consumed from verifications
    where value in (${user.phone}, ${user.telegram_user_id}) order by kind`;
  assert.deepEqual(
    proofs.map((row) => Object.values(row)),
    [
      ['phone', 'link', true],
      ['telegram', 'sign_in', true],
    ],
  );
  const me = await app.get('/api/v1/auth/me', { token: answer.body.access_token });
  assert.equal(me.body.user.id, user.id);
});

test('S41 what Telegram is asked: code with PKCE S256, a short state, its number only where numbers may be proved so', async () => {
  const { url } = await begin();
  const query = new URL(url).searchParams;
  assert.equal(query.get('client_id'), LOGIN_CLIENT.id);
  assert.equal(query.get('redirect_uri'), BACK);
  assert.equal(query.get('scope'), 'openid profile phone');
  assert.match(query.get('state') ?? '', /^[\w-]{24}$/);
  assert.match(query.get('nonce') ?? '', /^[\w-]{24}$/);
  assert.doesNotMatch(url, new RegExp(LOGIN_CLIENT.secret));
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  await app.app.tenants.update(tenant, {
    settings: { ...tenant.settings, telegram: { contact_proves_phone: false } },
  });
  const without = new URL((await begin()).url).searchParams;
  assert.equal(without.get('scope'), 'openid profile');
  await app.app.tenants.update(tenant, { settings: tenant.settings });
});

test('S41 somebody who comes again is the same account, and keeps the names they have', async () => {
  const person = newPerson({ phone_number: newPhone() });
  const first = await signIn(person);
  const again = await signIn({ ...person, name: 'Somebody Else' });
  assert.deepEqual([first.status, again.status], [201, 200]);
  assert.equal(again.body.user.id, first.body.user.id);
  assert.equal(again.body.user.first_name, 'Mia');
  assert.equal(again.body.user.identities.length, 2);
});

test('S41 a number that has an account signs in to it, and the Telegram account is added', async () => {
  const phone = newPhone();
  const owner = await app.signIn({ phone: `+${phone}` }, {}, { from: newCaller(), ...here });
  const person = newPerson({ phone_number: phone });
  const answer = await signIn(person);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.user.id, owner.body.user.id);
  assert.equal(answer.body.user.telegram_user_id, String(person.id));
});

test('C7 for a day after its chat has moved a Telegram account is not added to an account by its number', async () => {
  const phone = newPhone();
  for (const id of [960_100_001, 960_100_002]) {
    const contact = { phone_number: phone, user_id: id };
    await telegramOf(app).bring(contactUpdate({ id, first_name: 'Mia' }, contact));
  }
  const person = newPerson({ phone_number: phone });
  const held = await signIn(person);
  assert.deepEqual([held.status, held.body.user.phone], [200, `+${phone}`]);
  assert.equal(held.body.user.telegram_user_id, null, 'signed in, and nothing is changed');
  app.clock.advance(86_400);
  assert.equal((await signIn(person)).body.user.telegram_user_id, String(person.id));
});

test('S35 a number whose account lay idle does not open it: Telegram makes an account without the number', async () => {
  const phone = newPhone();
  const owner = await app.signIn({ phone: `+${phone}` }, {}, { from: newCaller(), ...here });
  app.clock.advance(91 * 86_400);
  const answer = await signIn(newPerson({ phone_number: phone }));
  assert.deepEqual([answer.status, answer.body.user?.phone], [201, null]);
  assert.notEqual(answer.body.user.id, owner.body.user.id);
});

test('S41 two accounts are never merged: a number that is somebody else’s stays theirs', async () => {
  const person = newPerson();
  const first = await signIn(person);
  const phone = newPhone();
  const owner = await app.signIn({ phone: `+${phone}` }, {}, { from: newCaller(), ...here });
  const answer = await signIn({ ...person, phone_number: phone });
  assert.equal(answer.body.user.id, first.body.user.id);
  assert.equal(answer.body.user.phone, null);
  const me = await app.get('/api/v1/auth/me', { token: owner.body.access_token });
  assert.equal(me.body.user.phone, `+${phone}`);
});

test('S41 a number that Telegram has not verified, or that was not asked for, proves nothing', async () => {
  fake.state.claims = { phone_number_verified: false };
  const unverified = await signIn(newPerson({ phone_number: newPhone() }));
  assert.deepEqual([unverified.status, unverified.body.user.phone], [201, null]);
  const member = await app.signIn({ email: 'adds-telegram@example.com' }, {}, { from: newCaller() });
  fake.state.claims = { phone_number: newPhone() };
  const { login_id, url } = await begin({ token: member.body.access_token });
  const person = newPerson();
  const answer = fake.approve(url, person);
  const linked = await complete({ login_id, ...answer }, { token: member.body.access_token });
  assert.equal(linked.status, 200, JSON.stringify(linked.body));
  assert.deepEqual([linked.body.user.telegram_user_id, linked.body.user.phone], [String(person.id), null]);
});

test('S39 Telegram leads back to the addresses that the tenant has named, letter for letter', async () => {
  for (const redirect_uri of [
    `${BACK}/`,
    `${BACK}?x=1`,
    'https://app.example.evil/back',
    'javascript:alert(1)',
    '/back',
  ]) {
    const { status, body } = await app.post(LOGIN_PATH, { redirect_uri }, { from: newCaller() });
    assert.deepEqual([status, body.issues?.[0].path], [400, '/redirect_uri'], redirect_uri);
  }
});

test('linking wants a fresh proof, the session that began it, and a Telegram account that is nobody’s', async () => {
  const member = await app.signIn({ email: 'links-by-login@example.com' }, {}, { from: newCaller() });
  const token = member.body.access_token as string;
  const { login_id, url } = await begin({ token });
  const person = newPerson();
  const answer = fake.approve(url, person);
  assert.equal((await complete({ login_id, ...answer })).status, 401);
  const stranger = await app.signIn({ email: 'stranger-by-login@example.com' }, {}, { from: newCaller() });
  const theirs = await complete({ login_id, ...answer }, { token: stranger.body.access_token });
  assert.equal(theirs.status, 401);
  assert.equal((await complete({ login_id, ...answer }, { token })).status, 200);
  const taken = await begin({ token: stranger.body.access_token });
  const again = fake.approve(taken.url, { id: person.id });
  const refusedLink = await complete(
    { login_id: taken.login_id, ...again },
    { token: stranger.body.access_token },
  );
  assert.deepEqual([refusedLink.status, refusedLink.body.error], [409, 'ALREADY_REGISTERED']);
  app.clock.advance(301);
  const stale = await app.post(LOGIN_PATH, { redirect_uri: BACK }, { token, from: newCaller() });
  assert.deepEqual([stale.status, stale.body.error], [403, 'STEP_UP_REQUIRED']);
});

test('R03 Telegram away, broken or silent: 503 in time, nothing is used up, and everything else goes on', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  for (const mode of ['down', 'broken', 'hang'] as const) {
    fake.state.mode = mode;
    const waiting = complete({ login_id, ...answer });
    assert.equal((await app.get('/health/ready')).status, 200);
    const { status, body } = await waiting;
    assert.deepEqual([status, body.error], [503, 'CHANNEL_UNAVAILABLE'], mode);
  }
  fake.state.mode = 'up';
  assert.equal((await complete({ login_id, ...answer })).status, 201);
});
