import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { setErrorDetail } from '../security/people.ts';
import { atOnce, tally } from './at-once.ts';
import {
  checkToken,
  newCaller,
  newEmail,
  refreshPath,
  resendPath,
  sendPath,
  signIn,
  start,
  verifyPath,
  wrongCodes,
} from './started.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

/**
 * What strangers get to compare when they ask for codes and guess by the address. Nobody types the codes they cause, so
 * each keeps one of the ten for its holder, and of the five of each code two stay to whoever has its handle:
 * - nobody's address: three of the first code; three of the second (7 left, 2 codes kept); one of the third (4 left,
 *   3 kept), which leaves as many as there are codes.
 * - an account's, which keeps three more for its owner: three of the first; two of the second (7 - 3 - 2).
 */
const STRANGERS = { ofNobody: 7, ofAnAccount: 5 } as const;

/** Uses up what an address may guess in an hour, from many callers. */
async function hammer(email: string, whose: keyof typeof STRANGERS = 'ofAnAccount'): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await app.post(sendPath, { email }, { from: newCaller() });
    for (const code of wrongCodes(5)) await app.post(verifyPath, { email, code }, { from: newCaller() });
    app.clock.advance(61);
  }
  const [row] = await app.databases.control.sql`
    select cardinality(failed_at) as failed from address_budgets where value = ${email}`;
  const used = row?.['failed'] as number;
  const more = await app.post(sendPath, { email }, { from: newCaller() });
  assert.equal(more.status, 429, 'nothing is left to strangers');
  assert.equal(used, STRANGERS[whose]);
  return used;
}

test('S31 who is signed in stays so and may refresh while the address is being guessed at', async () => {
  const session = await signIn(app);
  await hammer(session.email);
  assert.equal(await checkToken(app, session.access), 200);
  const { status, body } = await app.post(refreshPath, { refresh_token: session.refresh });
  assert.equal(status, 200);
  assert.equal(await checkToken(app, body.access_token), 200);
});

test('S31 five wrong codes with a handle of their own do not touch the code its owner already has', async () => {
  const email = newEmail();
  const owner = await start(app, email);
  app.clock.advance(61);
  const stranger = await start(app, email);
  for (const code of wrongCodes(6, owner.code, stranger.code)) {
    await app.post(verifyPath, { verification_id: stranger.handle, code }, { from: newCaller() });
  }
  const answer = await app.post(verifyPath, { verification_id: owner.handle, code: owner.code });
  assert.equal(answer.status, 201);
});

test('S31 codes that others ask for leave a live one as it is', async () => {
  const email = newEmail();
  const owner = await start(app, email);
  for (let more = 0; more < 3; more++) {
    app.clock.advance(61);
    const path = more % 2 === 0 ? sendPath : resendPath;
    assert.equal((await app.post(path, { email }, { from: newCaller() })).status, 200);
  }
  const answer = await app.post(verifyPath, { verification_id: owner.handle, code: owner.code });
  assert.equal(answer.status, 201);
});

/** Sends and proves from one place, with the owner's device token if there is one. */
async function comeBack(
  email: string,
  { from, deviceToken }: { from: string; deviceToken?: string },
): Promise<number[]> {
  const options = { from, headers: deviceToken === undefined ? {} : { 'x-device-token': deviceToken } };
  const before = await app.newestMessage(email);
  const sent = await app.post(sendPath, { email }, options);
  if (sent.status !== 200) return [sent.status];
  const code = await app.code(email, { after: before });
  const verification_id = sent.body.verification_id;
  const [mistyped] = wrongCodes(1, code);
  const first = await app.post(verifyPath, { verification_id, code: mistyped }, options);
  const second = await app.post(verifyPath, { verification_id, code }, options);
  return [sent.status, first.status, second.status];
}

test('S31 after an hour of guessing the owner signs in within two tries from a known device or network', async () => {
  for (const [place, byDevice] of [
    ['203.0.113.77', true],
    ['203.0.113.77', false],
    ['2001:db8:77:1::5', false],
  ] as const) {
    const email = newEmail();
    const { body } = await app.signIn({ email }, {}, { from: place });
    await hammer(email);
    for (let minute = 0; minute < 60; minute++) {
      app.clock.advance(60);
      await app.post(sendPath, { email }, { from: newCaller() });
      await app.post(verifyPath, { email, code: '100000' }, { from: newCaller() });
    }
    const deviceToken = body.session.device_token as string;
    app.clock.advance(61);
    const network = place.includes(':') ? '2001:db8:77:1:ffff::9' : place;
    const way = byDevice ? { from: newCaller(), deviceToken } : { from: network };
    assert.deepEqual(await comeBack(email, way), [200, 401, 200]);
  }
});

test('S31 another device token, a forged one and a neighbouring network are strangers', async () => {
  const email = newEmail();
  await app.signIn({ email }, {}, { from: '2001:db8:78:1::5' });
  const other = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  const theirs = other.body.session.device_token as string;
  await hammer(email);
  for (const [from, deviceToken] of [
    [newCaller(), theirs],
    [newCaller(), `${theirs.slice(0, -1)}${theirs.endsWith('A') ? 'B' : 'A'}`],
    ['2001:db8:78:2::5', 'fpd_'],
  ] as const) {
    const [status] = await comeBack(email, { from, deviceToken });
    assert.equal(status, 429);
  }
});

test('S31 the owner and strangers together have ten comparisons an hour', async () => {
  const email = newEmail();
  const { body } = await app.signIn({ email }, {}, { from: newCaller() });
  const headers = { 'x-device-token': body.session.device_token as string };
  const used = await hammer(email);
  const sent = await app.post(sendPath, { email }, { from: newCaller(), headers });
  assert.equal(sent.status, 200);
  const answers: number[] = [];
  for (const code of wrongCodes(6, await app.code(email))) {
    const guess = { verification_id: sent.body.verification_id, code };
    answers.push((await app.post(verifyPath, guess, { from: newCaller(), headers })).status);
  }
  assert.deepEqual(answers, [401, 401, 401, 401, 401, 429], `${used} and five are ten`);
  const [row] = await app.databases.control.sql`
    select cardinality(failed_at)::int as failed from address_budgets where value = ${email}`;
  assert.equal(row?.['failed'], 10);
});

test('S31 whoever holds a code gets to type it, however others guess with theirs and by the address', async () => {
  const email = newEmail();
  const owner = await start(app, email);
  for (let round = 0; round < 3; round++) {
    app.clock.advance(61);
    const sent = await app.post(sendPath, { email }, { from: newCaller() });
    for (const code of wrongCodes(4, owner.code)) {
      const verification_id = sent.body.verification_id as string | undefined;
      if (verification_id !== undefined)
        await app.post(verifyPath, { verification_id, code }, { from: newCaller() });
      await app.post(verifyPath, { email, code }, { from: newCaller() });
    }
  }
  const answer = await app.post(
    verifyPath,
    { verification_id: owner.handle, code: owner.code },
    { from: newCaller() },
  );
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
});

test('S31 five guesses by the address alone leave a code to its holder', async () => {
  const email = newEmail();
  const owner = await start(app, email);
  for (const code of wrongCodes(5, owner.code)) {
    await app.post(verifyPath, { email, code }, { from: newCaller() });
  }
  const body = { verification_id: owner.handle, code: owner.code };
  assert.equal((await app.post(verifyPath, body, { from: newCaller() })).status, 201);
});

/** Wrong codes in a row, as many days of guessing leave them. */
async function closeAddress(email: string): Promise<void> {
  const { sql } = app.databases.control;
  await sql`update address_budgets set failures_in_a_row = 99 where value = ${email}`;
  const { handle, code } = await start(app, email, true);
  const [wrong] = wrongCodes(1, code);
  const answer = await app.post(verifyPath, { verification_id: handle, code: wrong }, { from: newCaller() });
  assert.equal(answer.status, 401);
  const events = await sql`
    select from audit_events where action = 'address.closed' and subject = ${`email:${email}`}
      and at = ${app.clock.now()}`;
  assert.equal(events.length, 1, 'the closing is recorded once');
  app.clock.advance(86_400);
  const closed = await app.post(sendPath, { email }, { from: newCaller() });
  assert.equal(closed.body.next_action, 'USE_ANOTHER_WAY');
}

test('S02 a closed address is opened by its owner on a signed-in device, or by an administrator, and by nobody else', async () => {
  const mine = await signIn(app);
  await closeAddress(mine.email);
  const stranger = await signIn(app);
  const ownPath = '/api/v1/auth/addresses/reopen';
  const renewed = await app.post(refreshPath, { refresh_token: stranger.refresh });
  const theirs = await app.post(ownPath, undefined, { token: renewed.body.access_token });
  assert.deepEqual(theirs.body, { success: true, addresses: [] });
  assert.equal((await app.post(ownPath)).status, 401);
  assert.equal((await app.post(sendPath, { email: mine.email }, { from: newCaller() })).status, 429);

  const token = (await app.post(refreshPath, { refresh_token: mine.refresh })).body.access_token as string;
  const opened = await app.post(ownPath, undefined, { token });
  assert.deepEqual(opened.body.addresses, [{ kind: 'email', value: mine.email }]);
  assert.equal((await app.signIn({ email: mine.email }, {}, { from: newCaller() })).status, 200);

  await closeAddress(mine.email);
  const adminPath = '/api/v1/admin/addresses/reopen';
  assert.equal((await app.post(adminPath, { email: mine.email })).status, 401);
  const headers = { 'x-api-key': app.apiKey };
  assert.equal((await app.post(adminPath, { email: mine.email }, { headers })).body.addresses.length, 1);
  assert.equal((await app.signIn({ email: mine.email }, {}, { from: newCaller() })).status, 200);
  const events = await app.databases.control.sql`
    select actor from audit_events where action = 'address.reopened' and subject = ${`email:${mine.email}`}`;
  assert.equal(events.length, 2, 'each opening is recorded once');
});

test('S02 of many wrong codes at once the hundredth in a row closes the address, told once and by itself', async () => {
  const email = newEmail();
  const { sql } = app.databases.control;
  const { handle, code } = await start(app, email, true);
  await sql`update address_budgets set failures_in_a_row = 98 where value = ${email}`;
  const answers = await atOnce(
    wrongCodes(20, code).map((wrong) => ({
      app,
      path: verifyPath,
      body: { verification_id: handle, code: wrong },
      from: newCaller(),
    })),
  );
  assert.equal(tally(answers)['401 INVALID_CODE'], 2);
  const events = await sql<{ data: unknown; actor: string }[]>`
    select data, actor from audit_events where action = 'address.closed' and subject = ${`email:${email}`}`;
  assert.deepEqual(
    events.map(({ data, actor }) => ({ data, actor })),
    [{ data: { wrong_codes_in_a_row: 100 }, actor: 'anonymous' }],
  );
});

test('S02 a closed address opens when its owner proves the account another way, and closes again after as many', async () => {
  const mine = await signIn(app);
  const { sql } = app.databases.control;
  await closeAddress(mine.email);
  app.clock.advance(60);
  const now = app.clock.now();
  await sql`update users set last_login = ${now} where id = ${mine.userId}`;
  const { handle, code } = await start(app, mine.email, true);
  const [wrong] = wrongCodes(1, code);
  await app.post(verifyPath, { verification_id: handle, code: wrong }, { from: newCaller() });
  const [row] =
    await sql`select failures_in_a_row, closed_at from address_budgets where value = ${mine.email}`;
  assert.deepEqual({ ...row }, { failures_in_a_row: 1, closed_at: null }, 'counted from the beginning');
});

test('S31 an address that was guessed at signs in again when the hour is over, at the first try', async () => {
  const email = newEmail();
  await hammer(email, 'ofNobody');
  const refused = await app.post(sendPath, { email }, { from: newCaller() });
  assert.equal(refused.status, 429);
  assert.ok(refused.body.retry_after <= 3600, `told how long: ${refused.body.retry_after} s`);
  app.clock.advance(refused.body.retry_after as number);
  assert.equal((await app.signIn({ email }, {}, { from: newCaller() })).status, 201);
});

test('S31 wrong passwords from everywhere leave three tries to a device and a session of the owner, and ten to all others', async () => {
  const password = 'violet-Harbour-42';
  for (const errorDetail of ['explicit', 'uniform'] as const) {
    await setErrorDetail(app, errorDetail);
    const email = newEmail();
    const { body } = await app.signIn({ email }, {}, { from: newCaller() });
    const { access_token: token, session } = body;
    const set = await app.post('/api/v1/auth/change-password', { new_password: password }, { token });
    assert.equal(set.status, 200, JSON.stringify(set.body));
    const other = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
    const login = async (typed: string, deviceToken?: string) => {
      const headers = deviceToken === undefined ? {} : { 'x-device-token': deviceToken };
      const options = { from: newCaller(), headers };
      return (await app.post('/api/v1/auth/login', { email, password: typed }, options)).status;
    };
    const guesses = Array.from({ length: 30 }, (_, index) => ({
      app,
      path: '/api/v1/auth/login',
      body: { email, password: `amber-Lantern-${index}` },
      from: newCaller(),
    }));
    assert.deepEqual(tally(await atOnce(guesses)), { '401 INVALID_CREDENTIALS': 10, '429 RATE_LIMITED': 20 });

    assert.equal(await login(password), 429, 'who cannot be told from a stranger');
    assert.equal(
      await login(password, other.body.session.device_token as string),
      429,
      'nor by another token',
    );
    assert.equal(await login(password, session.device_token as string), 200);
    assert.equal((await app.post('/api/v1/auth/step-up', { password }, { token })).status, 200);

    for (let wrong = 0; wrong < 3; wrong++) {
      assert.equal(await login('amber-Lantern', session.device_token as string), 401);
    }
    assert.equal(await login(password, session.device_token as string), 429, 'three, not more');
    assert.equal((await app.post('/api/v1/auth/step-up', { password }, { token })).status, 429);
    app.clock.advance(3600);
    assert.equal(await login(password), 200, 'the next hour');
  }
  await setErrorDetail(app, 'explicit');
});

test('S31 of many right passwords at once those that come too many lock nobody out, on whichever server', async () => {
  const password = 'violet-Harbour-42';
  const email = newEmail();
  const { body } = await app.signIn({ email }, {}, { from: newCaller() });
  const { access_token: token } = body;
  const set = await app.post('/api/v1/auth/change-password', { new_password: password }, { token });
  assert.equal(set.status, 200);
  const other = await app.replica();
  try {
    const path = '/api/v1/auth/login';
    const many = Array.from({ length: 40 }, (_, index) => ({
      app: index % 2 === 0 ? app : other,
      path,
      body: { email, password },
      from: newCaller(),
    }));
    const counts = tally(await atOnce(many));
    assert.ok((counts['429 RATE_LIMITED'] ?? 0) > 0, 'ten are compared at a time');
    app.clock.advance(2);
    for (const server of [app, other]) {
      const later = await server.post(path, { email, password }, { from: newCaller() });
      assert.equal(later.status, 200, JSON.stringify(later.body));
    }
    const wrong = await app.post(path, { email, password: 'amber-Lantern' }, { from: newCaller() });
    assert.equal(wrong.body.attempts_left, 9);
  } finally {
    await other.close();
  }
});
