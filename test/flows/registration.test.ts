import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { persianDigits } from '../persian-digits.ts';

const PASSWORD = 'violet-Harbour-42';
let app: TestApp;
let callers = 0;
/** Each test comes from an address of its own, so that the budgets of callers stay apart. */
const caller = (): { from: string } => ({ from: `198.51.100.${++callers}` });

before(async () => {
  app = await createTestApp({
    tenants: {
      us: {
        registration_roles: ['student', 'teacher'],
        required_fields: ['first_name'],
        custom_fields: {
          type: 'object',
          properties: {
            grade: { type: 'integer', minimum: 1, maximum: 12 },
            guardian: { type: 'string', maxLength: 40 },
          },
          required: ['grade'],
        },
      },
    },
  });
});
after(() => app.close());

const register = (body: Record<string, unknown>, options: { from: string } = caller()): Promise<Answer> =>
  app.post('/api/v1/auth/register', body, options);
const verify = (body: Record<string, unknown>): Promise<Answer> => app.post('/api/v1/auth/verify-code', body);
const login = (body: Record<string, unknown>): Promise<Answer> =>
  app.post('/api/v1/auth/login', body, caller());

async function count(
  table: 'users' | 'identities' | 'pending_registrations',
  where = 'true',
): Promise<number> {
  const [row] = await app.databases.control.sql.unsafe(
    `select count(*)::int as count from ${table} where ${where}`,
  );
  return row?.['count'] as number;
}

test('a registration waits beside the accounts until its code makes one', async () => {
  const email = 'ada@example.net';
  const users = await count('users');
  const registered = await register({
    email,
    password: PASSWORD,
    name: 'Ada King Lovelace',
    username: 'ada.l',
  });
  assert.equal(registered.status, 202);
  assert.equal(
    registered.body.message,
    'Verification code sent to your email. Please verify to complete registration.',
  );
  assert.deepEqual(registered.body.data, { email });
  assert.match(registered.body.verification_id, /^[\w-]{40,}$/);
  assert.equal(registered.body.channel, 'email');
  assert.equal(registered.body.destination, 'a•••@example.net');
  assert.equal(registered.body.code_length, 6);
  assert.equal(registered.body.resend_in, 60);
  assert.equal(registered.body.attempts_left, 5);

  // The person exists as a waiting registration only, and the password only as a hash.
  assert.equal(await count('users'), users);
  const [pending] = await app.databases.control.sql`
    select * from pending_registrations where value = ${email}`;
  assert.match(pending?.['password_hash'], /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(JSON.stringify(pending).includes(PASSWORD), false);
  const day = pending?.['expires_at'].getTime() - pending?.['created_at'].getTime();
  assert.equal(day, 86_400_000);

  const answer = await verify({ email, otp: await app.code(email) });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.is_new_user, true);
  assert.equal(answer.body.next_action, undefined);
  assert.equal(answer.body.user.email, email);
  assert.equal(answer.body.user.first_name, 'Ada');
  assert.equal(answer.body.user.last_name, 'King Lovelace');
  assert.equal(answer.body.user.username, 'ada.l');
  assert.equal(answer.body.user.role, 'user');
  assert.equal(answer.body.user.is_verified, true);
  assert.equal(await count('pending_registrations', `value = '${email}'`), 0);

  for (const by of [{ email }, { username: 'ADA.L' }, { email: 'Ada@Example.net' }]) {
    const entered = await login({ ...by, password: PASSWORD });
    assert.equal(entered.status, 200, JSON.stringify(entered.body));
    assert.equal(entered.body.user.id, answer.body.user.id);
    assert.equal(entered.body.is_new_user, false);
  }
});

test('names may come in a profile, and go with the registration', async () => {
  const email = 'profile@example.net';
  const registered = await register({
    email,
    password: PASSWORD,
    profile: { first_name: 'Grace', last_name: 'Hopper', username: 'grace', city: 'Arlington' },
    custom_fields: { grade: 5 },
  });
  assert.equal(registered.status, 202, JSON.stringify(registered.body));
  const { body } = await verify({ email, code: await app.code(email) });
  assert.equal(body.user.first_name, 'Grace');
  assert.equal(body.user.last_name, 'Hopper');
  assert.equal(body.user.username, 'grace');
  assert.deepEqual(body.user.custom_fields, { city: 'Arlington', grade: 5 });
});

test('a phone registers without a password, and its code comes by SMS', async () => {
  const phone = '+12025550143';
  const registered = await register({ phone, first_name: 'Ann', custom_fields: { grade: 3 } });
  assert.equal(registered.status, 202, JSON.stringify(registered.body));
  assert.equal(registered.body.channel, 'sms');
  assert.deepEqual(registered.body.data, { phone });
  const answer = await verify({
    verification_id: registered.body.verification_id,
    code: await app.code(phone),
  });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.user.role, 'student');
  assert.deepEqual(answer.body.user.custom_fields, { grade: 3 });
});

test('custom fields, required fields and roles are checked at registration, a sentence a field', async () => {
  const phone = '+12025550144';
  const cases: [Record<string, unknown>, string[]][] = [
    [{}, ['/first_name', '/custom_fields/grade']],
    [{ first_name: 'Ann', custom_fields: { grade: 'five' } }, ['/custom_fields/grade']],
    [{ first_name: 'Ann', custom_fields: { grade: 13 } }, ['/custom_fields/grade']],
    [{ first_name: 'Ann', custom_fields: { grade: 5, shoe_size: 40 } }, ['/custom_fields/shoe_size']],
    [{ first_name: 'Ann', custom_fields: { grade: 5 }, role: 'admin' }, ['/role']],
    [{ first_name: 'Ann', custom_fields: { grade: 5 }, role: 'principal' }, ['/role']],
    [{ first_name: 'Ann', custom_fields: { grade: 5 }, profile: { username: 'a b' } }, ['/profile/username']],
    [{ first_name: 'Ann\r\nBcc: x@y.zz', custom_fields: { grade: 5 } }, ['/first_name']],
    [{ profile: { first_name: 'Ann\u0085' }, custom_fields: { grade: 5 } }, ['/profile/first_name']],
    [{ first_name: 'Ann', custom_fields: { grade: 5 }, is_admin: true }, ['/is_admin']],
    // What came in the profile is told there; what both hold counts as the custom field.
    [{ first_name: 'Ann', profile: { grade: 'five' } }, ['/profile/grade']],
    [
      { first_name: 'Ann', profile: { grade: 'five' }, custom_fields: { grade: 13 } },
      ['/custom_fields/grade'],
    ],
    [{ first_name: 'Ann', profile: { shoe_size: 40 } }, ['/custom_fields/grade', '/profile/shoe_size']],
  ];
  for (const [more, paths] of cases) {
    const answer = await register({ phone, ...more });
    assert.equal(answer.status, 400, JSON.stringify(more));
    assert.equal(answer.body.error, 'INVALID_REQUEST');
    assert.deepEqual(
      answer.body.issues.map((issue: { path: string }) => issue.path),
      paths,
    );
  }
  const wanted = await register({ phone, first_name: 'Ann', role: 'teacher', custom_fields: { grade: 5 } });
  assert.equal(wanted.status, 202);
  const { body } = await verify({ phone, code: await app.code(phone) });
  assert.equal(body.user.role, 'teacher');

  const token = body.access_token as string;
  const refused = await app.request('PATCH', '/api/v1/auth/me', { custom_fields: { grade: 0 } }, { token });
  assert.equal(refused.status, 400);
  assert.deepEqual(
    refused.body.issues.map((issue: { path: string }) => issue.path),
    ['/custom_fields/grade'],
  );
  const changed = await app.request('PATCH', '/api/v1/auth/me', { custom_fields: { grade: 6 } }, { token });
  assert.deepEqual(changed.body.user.custom_fields, { grade: 6 });
  assert.deepEqual((await app.get('/api/v1/auth/me', { token })).body.user.custom_fields, { grade: 6 });
});

test('addresses and bodies that cannot be are refused before anything is stored', async () => {
  const before = await count('pending_registrations');
  const bodies: unknown[] = [
    { password: PASSWORD },
    { email: 'x@example.net', phone: '+12025550145' },
    { telegram_user_id: 5 },
    { email: 'x@example.net\nBcc: y@example.net', password: PASSWORD },
    { email: 'x@example.net', password: null },
    { email: 'x@example.net', password: '' },
    { email: 'x@example.net', password: [PASSWORD] },
    { email: 'x@example.net', password: 'x'.repeat(257) },
    { email: ['x@example.net'] },
    { email: 'x@example.net', custom_fields: [] },
    `{"email":"x@example.net","password":"${PASSWORD}","password":"${PASSWORD}"}`,
  ];
  for (const body of bodies) {
    const answer = await app.post('/api/v1/auth/register', body, caller());
    assert.equal(answer.status, 400, JSON.stringify(body));
  }
  assert.equal(await count('pending_registrations'), before);
});

test('S26 passwords: length in code points, no composition, NFC, every byte significant', async () => {
  const weak: [string, RegExp][] = [
    ['short-7', /at least 8/],
    ['password', /most used/],
    ['Password', /most used/],
    ['qwertyuiop', /most used/],
    ['weak.person', /your name, your address/],
    ['Firstproof2026!', /name of this service/],
    ['abcabcabcabc', /too easy/],
    ['\u{1f600}'.repeat(257), /256 characters at most/],
  ];
  for (const [password, reason] of weak) {
    const answer = await register({ email: 'weak.person@example.net', password });
    assert.equal(answer.status, 400, password);
    assert.equal(answer.body.error, 'WEAK_PASSWORD', password);
    assert.equal(answer.body.issues[0].path, '/password');
    assert.match(answer.body.issues[0].message, reason, password);
  }
  const named = { email: 'x1@example.net', profile: { first_name: 'Wilhelmina', last_name: 'Ferdinand' } };
  const own = await register({ ...named, password: 'WilhelminaFerdinand7' });
  assert.match(own.body.issues?.[0].message ?? 'taken', /your name/, 'names of the profile count as well');
  const long = `${'\u{1f600}\u{1f680}'.repeat(32)}`;
  const bytes72 = `${'Tr4vel-by-'.repeat(7)}zz`;
  const good: [string, string, string][] = [
    ['emoji@example.net', long, long.slice(0, -2)],
    ['nfc@example.net', 'caf\u00e9-na\u00efve-42', 'cafe-naive-42'],
    ['byte73@example.net', `${bytes72}A`, `${bytes72}B`],
    ['spaces@example.net', '  two words  here ', 'two words  here'],
  ];
  for (const [email, password, wrong] of good) {
    const answer = await register({ email, password });
    assert.equal(answer.status, 202, `${email} ${JSON.stringify(answer.body)}`);
    await verify({ email, code: await app.code(email) });
    assert.equal((await login({ email, password: wrong })).body.error, 'INVALID_CREDENTIALS', email);
    assert.equal((await login({ email, password: password.normalize('NFD') })).status, 200, email);
  }
});

test('S27 a password of 1 MB is refused at once', async () => {
  const started = performance.now();
  const answer = await register({ email: 'big@example.net', password: 'x'.repeat(1 << 20) });
  assert.equal(answer.status, 400);
  assert.ok(performance.now() - started < 1000);
  assert.equal((await login({ email: 'big@example.net', password: 'x'.repeat(1 << 20) })).status, 400);
});

test('registering again with the same password changes what waits, and keeps one row', async () => {
  const email = 'again@example.net';
  const first = await register({ email, password: PASSWORD, first_name: 'Old' });
  const code = await app.code(email);
  const second = await register({ email, password: PASSWORD, first_name: 'New' });
  assert.equal(second.status, 202);
  assert.equal(second.body.resend_in, 60);
  assert.notEqual(second.body.verification_id, first.body.verification_id);
  assert.equal(await count('pending_registrations', `value = '${email}'`), 1);
  const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(email)}`);
  assert.equal(body.length, 1, 'inside the cool-down no second message goes out');
  const stale = await verify({ verification_id: first.body.verification_id, code });
  assert.equal(stale.body.error, 'VERIFICATION_NOT_FOUND', 'the handle has moved on');

  app.clock.advance(61);
  const third = await register({ email, password: PASSWORD, first_name: 'Newest' });
  assert.equal(third.status, 202);
  const answer = await verify({ verification_id: third.body.verification_id, code });
  assert.equal(answer.status, 201, 'the same code while it lives');
  assert.equal(answer.body.user.first_name, 'Newest');
  assert.equal((await login({ email, password: PASSWORD })).status, 200);
});

test('registering again with the handle changes everything, the password too', async () => {
  const email = 'handle@example.net';
  const first = await register({ email, password: PASSWORD });
  const verificationId = first.body.verification_id as string;
  const second = await register({ email, password: 'amber-Lantern-77', verification_id: verificationId });
  assert.equal(second.status, 202);
  assert.equal(second.body.verification_id, verificationId);
  assert.equal(await count('pending_registrations', `value = '${email}'`), 1);
  const answer = await verify({ verification_id: verificationId, code: await app.code(email) });
  assert.equal(answer.status, 201);
  assert.equal((await login({ email, password: PASSWORD })).body.error, 'INVALID_CREDENTIALS');
  assert.equal((await login({ email, password: 'amber-Lantern-77' })).status, 200);
});

test('wrong, expired, used and unknown codes each fail with their own word, and make no account', async () => {
  const email = 'codes@example.net';
  const { body: registered } = await register({ email, password: PASSWORD });
  const code = await app.code(email);
  const wrong = code === '000000' ? '000001' : '000000';
  const first = await verify({ email, otp: wrong });
  assert.equal(first.status, 401);
  assert.equal(first.body.error, 'INVALID_CODE');
  assert.equal(first.body.attempts_left, 4);
  for (const odd of [null, '', [], [code], { code }]) {
    assert.equal((await verify({ email, otp: odd })).status, 400);
  }
  assert.equal(
    (await verify({ email: 'nobody-waits@example.net', otp: code })).body.error,
    'VERIFICATION_NOT_FOUND',
  );
  app.clock.advance(301);
  const expired = await verify({ verification_id: registered.verification_id, otp: code });
  assert.equal(expired.status, 410);
  assert.equal(expired.body.error, 'CODE_EXPIRED');
  assert.equal(await count('identities', `value = '${email}'`), 0);

  const resent = await app.post(
    '/api/v1/auth/resend-otp',
    { verification_id: registered.verification_id },
    caller(),
  );
  assert.equal(resent.status, 200);
  const fresh = await app.code(email, { not: code });
  const typed = persianDigits(fresh);
  assert.equal((await verify({ verification_id: resent.body.verification_id, otp: typed })).status, 201);
  assert.equal(
    (await verify({ verification_id: resent.body.verification_id, otp: fresh })).body.error,
    'VERIFICATION_NOT_FOUND',
  );
  assert.equal(
    (await login({ email, password: PASSWORD })).status,
    200,
    'the handle vouches for the password still',
  );
});

test('an address with an account is not registered again', async () => {
  const email = 'taken@example.net';
  await register({ email, password: PASSWORD });
  await verify({ email, code: await app.code(email) });
  const answer = await register({ email, password: PASSWORD });
  assert.equal(answer.status, 409);
  assert.equal(answer.body.error, 'ALREADY_REGISTERED');
  assert.equal(await count('pending_registrations', `value = '${email}'`), 0);
});

test('a username that somebody has meanwhile is dropped, not the sign-up', async () => {
  await register({ email: 'name1@example.net', password: PASSWORD, username: 'wanted' });
  await register({ email: 'name2@example.net', password: PASSWORD, username: 'Wanted' });
  await verify({ email: 'name1@example.net', code: await app.code('name1@example.net') });
  const second = await verify({ email: 'name2@example.net', code: await app.code('name2@example.net') });
  assert.equal(second.status, 201);
  assert.equal(second.body.user.username, null);
  assert.equal((await login({ email: 'name2@example.net', password: PASSWORD })).status, 200);
});

test('a username that somebody has already is told at registration, where answers are explicit', async () => {
  const holder = { email: 'holder@example.net', password: PASSWORD, username: 'Holder.One' };
  await register(holder);
  await verify({ email: holder.email, code: await app.code(holder.email) });
  const wish = { email: 'later@example.net', password: PASSWORD, username: 'holder.one' };
  const refused = await register(wish);
  assert.equal(refused.status, 400);
  assert.deepEqual(refused.body.issues, [
    { path: '/username', message: 'This username is taken. Choose another one.' },
  ]);
  assert.equal(await count('pending_registrations', `value = '${wish.email}'`), 0);
  assert.equal((await register({ ...wish, username: 'holder.two' })).status, 202);
  assert.equal((await register(holder)).body.error, 'ALREADY_REGISTERED', 'the address is told first');

  // Who may not learn it is not told: the sign-up goes on without the name.
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, error_detail: 'uniform' } });
  assert.equal((await register({ ...wish, email: 'quiet@example.net' })).status, 202);
  await app.app.tenants.update(tenant, { settings: tenant.settings });
});

test('S52 what nobody proved within a day is swept, its password with it', async () => {
  const email = 'late@example.net';
  await register({ email, password: PASSWORD });
  app.clock.advance(86_400 - 60);
  await app.app.worker.sweep();
  assert.equal(await count('pending_registrations', `value = '${email}'`), 1);
  app.clock.advance(3661);
  await app.app.worker.sweep();
  assert.equal(await count('pending_registrations'), 0);
  assert.equal(
    (await app.post('/api/v1/auth/resend-otp', { email }, caller())).body.error,
    'VERIFICATION_NOT_FOUND',
  );
});

test('a closed tenant takes no registration, and one without passwords none with a password', async () => {
  const tenant = app.app.tenants.bySlug('uz');
  assert.ok(tenant);
  const phone = '+998901234567';
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, registration: 'closed' } });
  const closed = await register({ phone });
  assert.equal(closed.status, 403);
  assert.equal(closed.body.error, 'REGISTRATION_CLOSED');
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, passwords: { enabled: false } } });
  assert.equal((await register({ phone, password: PASSWORD })).status, 400);
  assert.equal((await login({ phone, password: PASSWORD })).status, 400);
  assert.equal((await app.post('/api/v1/auth/forgot-password', { phone }, caller())).status, 400);
  assert.equal((await register({ phone })).status, 202);
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, identifiers: ['email'] } });
  for (const call of ['register', 'send-verification', 'forgot-password']) {
    const refused = await app.post(`/api/v1/auth/${call}`, { phone }, caller());
    assert.equal(refused.status, 400, call);
    assert.equal(refused.body.issues[0].path, '/phone');
  }
  assert.equal((await login({ phone, password: PASSWORD })).body.issues[0].path, '/phone');
});
