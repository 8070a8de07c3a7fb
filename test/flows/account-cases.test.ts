import assert from 'node:assert/strict';
import { randomBytes, randomUUID, scryptSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { hash as argon2 } from '@node-rs/argon2';
import bcrypt from 'bcryptjs';
import type { Provider } from '../../src/delivery/delivery.ts';
import { createSecrets } from '../../src/kernel/secrets.ts';
import { type Answer, createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';

const PASSWORD = 'violet-Harbour-42';
const OTHER = 'amber-Lantern-77';
const NOT_VERIFIED = {
  message: 'Account not verified. Please verify your email before signing in.',
  error: 'ACCOUNT_NOT_VERIFIED',
  statusCode: 401,
};
let app: TestApp;
let callers = 0;
const caller = (): { from: string } => ({ from: `198.51.100.${++callers}` });

before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const register = (body: Record<string, unknown>): Promise<Answer> =>
  app.post('/api/v1/auth/register', body, caller());
const verify = (body: Record<string, unknown>): Promise<Answer> => app.post('/api/v1/auth/verify-code', body);
const login = (body: Record<string, unknown>, options = caller()): Promise<Answer> =>
  app.post('/api/v1/auth/login', body, options);

async function messages(to: string): Promise<{ id: string; text: string; code: string | null }[]> {
  await app.app.worker.dispatch();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return (await app.get(`/dev/messages?to=${encodeURIComponent(to)}`)).body;
}

function assertNotVerified(answer: Answer): void {
  assert.equal(answer.status, 401);
  const { message, error, statusCode, success } = answer.body;
  assert.deepEqual({ message, error, statusCode }, NOT_VERIFIED);
  assert.equal(success, false);
}

/** An account as an import leaves it. */
async function imported(
  email: string,
  passwordHash: string,
  state: { verified?: boolean; disabled?: boolean } = {},
): Promise<string> {
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  const { sql } = app.databases.control;
  const [userId, now] = [randomUUID(), app.clock.now()];
  const { verified = true, disabled = false } = state;
  await sql`
    insert into users (tenant_id, id, first_name, password_hash, is_verified, is_disabled, created_at, updated_at)
    values (${tenant.id}, ${userId}, 'Ivy', ${passwordHash}, ${verified}, ${disabled}, ${now}, ${now})`;
  await sql`
    insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
    values (${tenant.id}, 'email', ${email}, ${randomUUID()}, ${userId}, ${email}, ${verified ? now : null}, ${now})`;
  return userId;
}

const hashOf = async (userId: string): Promise<string | null> => {
  const [row] = await app.databases.control.sql`select password_hash from users where id = ${userId}`;
  return row?.['password_hash'] as string | null;
};

test('case 1: a sign-in before the proof sends the code again and says so', async () => {
  const email = 'case1@example.net';
  const registered = await register({ email, password: PASSWORD, name: 'Cleo First' });
  const code = await app.code(email);

  // Inside the cool-down the live code is not sent again, and the answer tells how long that lasts.
  app.clock.advance(20);
  const early = await login({ email, password: PASSWORD });
  assertNotVerified(early);
  assert.equal(early.body.resend_in, 40);
  assert.equal(early.body.verification_id, undefined);
  assert.equal((await messages(email)).length, 1);

  app.clock.advance(41);
  const late = await login({ email, password: PASSWORD });
  assertNotVerified(late);
  assert.equal(late.body.resend_in, 60);
  assert.equal(late.body.next_action, 'VERIFY_CODE');
  const fresh = await app.code(email, { not: code });
  const sent = await messages(email);
  assert.equal(sent.length, 2);

  const answer = await verify({ verification_id: late.body.verification_id, code: fresh });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.user.first_name, 'Cleo');
  assert.equal(answer.body.next_action, undefined);
  // Afterwards nothing waits any more.
  const { sql } = app.databases.control;
  assert.equal((await sql`select 1 from pending_registrations where value = ${email}`).length, 0);
  assert.equal(
    (await sql`select 1 from verifications where value = ${email} and consumed_at is null`).length,
    0,
  );
  const stale = await verify({ verification_id: registered.body.verification_id, code });
  assert.equal(stale.body.error, 'VERIFICATION_NOT_FOUND');
  assert.equal((await login({ email, password: PASSWORD })).status, 200);
});

test('case 2: an existing account that was never verified is answered the same', async () => {
  const email = 'case2@example.net';
  const userId = await imported(email, await argon2(PASSWORD), { verified: false });
  const answer = await login({ email, password: PASSWORD });
  assertNotVerified(answer);
  const code = await app.code(email);
  const verified = await verify({ verification_id: answer.body.verification_id, code });
  assert.equal(verified.status, 200);
  assert.equal(verified.body.user.id, userId);
  assert.equal(verified.body.user.is_verified, true);
  assert.equal((await login({ email, password: PASSWORD })).status, 200);
});

test('case 3: nobody', async () => {
  const answer = await login({ email: 'case3@example.net', password: PASSWORD });
  assert.equal(answer.status, 404);
  const { message, error, statusCode } = answer.body;
  assert.deepEqual(
    { message, error, statusCode },
    {
      message: 'Account not found. Please check your email or sign up for a new account.',
      error: 'ACCOUNT_NOT_FOUND',
      statusCode: 404,
    },
  );
  assert.deepEqual(await messages('case3@example.net'), []);
  assert.equal((await login({ username: 'case3', password: PASSWORD })).body.error, 'ACCOUNT_NOT_FOUND');
});

test('a verified account signs in, a wrong password is told with what is left, a closed account not let in', async () => {
  const email = 'verified@example.net';
  await register({ email, password: PASSWORD });
  const made = await verify({ email, code: await app.code(email) });
  const wrong = await login({ email, password: OTHER });
  assert.equal(wrong.status, 401);
  assert.equal(wrong.body.error, 'INVALID_CREDENTIALS');
  assert.equal(wrong.body.attempts_left, 9);
  const right = await login({ email, password: PASSWORD, style: 'opaque', device: { name: 'Desk' } });
  assert.equal(right.status, 200);
  assert.match(right.body.session_token, /^fps_/);
  const session = await app.get('/api/v1/auth/session', { token: right.body.access_token });
  assert.equal(session.body.user_id, made.body.user.id);

  await app.databases.control.sql`update users set is_disabled = true where id = ${made.body.user.id}`;
  const closed = await login({ email, password: PASSWORD });
  assert.equal(closed.status, 403);
  assert.equal(closed.body.error, 'ACCOUNT_DISABLED');
  assert.equal((await login({ email, password: OTHER })).body.error, 'INVALID_CREDENTIALS');
});

test('an account without a password cannot be signed in to by one', async () => {
  const email = 'codes-only@example.net';
  assert.equal((await app.signIn({ email })).status, 201);
  for (const password of [PASSWORD, ' ', 'null']) {
    assert.equal((await login({ email, password })).body.error, 'INVALID_CREDENTIALS');
  }
});

test('by SMS the code goes again only after the right password', async () => {
  const phone = '+998901112233';
  await register({ phone, password: PASSWORD });
  const code = await app.code(phone);
  app.clock.advance(61);
  const wrong = await login({ phone, password: OTHER });
  assert.equal(wrong.body.error, 'ACCOUNT_NOT_VERIFIED');
  assert.equal(wrong.body.message, 'Account not verified. Please verify your phone before signing in.');
  assert.equal((await messages(phone)).length, 1);
  const right = await login({ phone, password: PASSWORD });
  assert.equal(right.body.error, 'ACCOUNT_NOT_VERIFIED');
  await app.code(phone, { not: code });
  assert.equal((await messages(phone)).length, 2);
});

test('sending again works for verified people and waiting ones, and greets by the right name', async () => {
  // A provider that never takes them leaves the messages in the outbox, where what they say can be read.
  const down: Provider = {
    name: 'down',
    carries: (channel) => channel === 'email',
    send: () => Promise.resolve({ state: 'retry', error: 'down' }),
  };
  const quiet = await createTestApp({ providers: [down] });
  const email = 'greeted@example.net';
  const secrets = createSecrets([TEST_SECRET]);
  const newest = async (): Promise<{ name: string | null; code: string }> => {
    const [row] = await quiet.databases.control.sql`
      select id, payload_sealed from messages order by id desc limit 1`;
    return JSON.parse(secrets.open(row?.['payload_sealed'], `message:${row?.['id']}`).toString());
  };
  const again = (): Promise<Answer> => quiet.post('/api/v1/auth/resend-otp', { email }, caller());
  try {
    const registered = await quiet.post('/api/v1/auth/register', { email, name: 'Greta Garbo' }, caller());
    assert.equal(registered.status, 202);
    assert.equal((await newest()).name, 'Greta');
    quiet.clock.advance(61);
    assert.equal((await again()).status, 200);
    const { name, code } = await newest();
    assert.equal(name, 'Greta');
    const made = await quiet.post('/api/v1/auth/verify-code', { email, code });
    assert.equal(made.status, 201);

    const { access_token: token } = made.body;
    await quiet.request('PATCH', '/api/v1/auth/me', { first_name: 'Margarete' }, { token });
    const anew = await again();
    assert.equal(anew.status, 200);
    const second = await newest();
    assert.equal(second.name, 'Margarete');
    const signedIn = await quiet.post('/api/v1/auth/verify-code', {
      verification_id: anew.body.verification_id,
      code: second.code,
    });
    assert.equal(signedIn.status, 200);
    assert.equal(signedIn.body.user.id, made.body.user.id);
  } finally {
    await quiet.close();
  }
});

test('S27 hashes of other servers and of old parameters are let in, and made anew at the first sign-in', async () => {
  const salt = randomBytes(16);
  const key = scryptSync(PASSWORD, salt, 32, { N: 16_384, r: 8, p: 1 });
  const plain = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  const hashes: [string, string][] = [
    ['bcrypt', bcrypt.hashSync(PASSWORD, 6)],
    ['bcrypt-php', bcrypt.hashSync(PASSWORD, 6).replace('$2b$', '$2y$')],
    ['scrypt', `$scrypt$ln=14,r=8,p=1$${plain(salt)}$${plain(key)}`],
    ['argon2-old', await argon2(PASSWORD, { memoryCost: 8192, timeCost: 1 })],
    ['argon2i', await argon2(PASSWORD, { algorithm: 1 })],
  ];
  for (const [name, hash] of hashes) {
    const email = `${name}@example.net`;
    const userId = await imported(email, hash);
    assert.equal((await login({ email, password: OTHER })).body.error, 'INVALID_CREDENTIALS', name);
    assert.equal(await hashOf(userId), hash, 'a wrong password changes nothing');
    assert.equal((await login({ email, password: PASSWORD })).status, 200, name);
    const upgraded = await hashOf(userId);
    assert.match(upgraded ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, name);
    assert.equal((await login({ email, password: PASSWORD })).status, 200, name);
    assert.equal(await hashOf(userId), upgraded, 'up to date: left alone');
  }
  await imported('unknown-scheme@example.net', 'plaintext-or-nonsense');
  const odd = await login({ email: 'unknown-scheme@example.net', password: 'plaintext-or-nonsense' });
  assert.equal(odd.body.error, 'INVALID_CREDENTIALS');
});

test('ten wrong passwords an hour for an identity, whoever types them, the right one no more after', async () => {
  const email = 'guessed@example.net';
  await imported(email, await argon2(PASSWORD));
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => login({ email, password: `wrong-guess-${index}` })),
  );
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([401]));
  const refused = await login({ email, password: PASSWORD });
  assert.equal(refused.status, 429);
  assert.equal(refused.body.error, 'RATE_LIMITED');
  assert.ok(refused.body.retry_after > 3500 && refused.body.retry_after <= 3600);
  assert.equal(refused.headers.get('retry-after'), String(refused.body.retry_after));
  app.clock.advance(3601);
  for (let round = 0; round < 12; round++) {
    assert.equal((await login({ email, password: PASSWORD })).status, 200, 'right ones are not counted');
  }
});

test('a hundred wrong passwords an hour by one caller, over all identities', async () => {
  const small = await app.replica({ env: { FIRSTPROOF_WRONG_PASSWORDS_PER_CALLER_PER_HOUR: '3' } });
  try {
    const options = caller();
    const attempt = (index: number): Promise<Answer> =>
      small.post(
        '/api/v1/auth/login',
        { email: `spray${index}@example.net`, password: 'Spring2026!!' },
        options,
      );
    for (const index of [1, 2, 3]) assert.equal((await attempt(index)).status, 404);
    assert.equal((await attempt(4)).status, 429);
    const elsewhere = await small.post(
      '/api/v1/auth/login',
      { email: 'spray5@example.net', password: 'x' },
      caller(),
    );
    assert.equal(elsewhere.status, 404);
  } finally {
    await small.close();
  }
});
