import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';

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
const verify = (body: Record<string, unknown>): Promise<Answer> =>
  app.post('/api/v1/auth/verify-code', body);
const login = (body: Record<string, unknown>): Promise<Answer> =>
  app.post('/api/v1/auth/login', body, caller());

async function count(table: 'users' | 'pending_registrations' | 'verifications', where = 'true'): Promise<number> {
  const [row] = await app.databases.control.sql.unsafe(`select count(*)::int as count from ${table} where ${where}`);
  return row?.['count'] as number;
}

test('a registration waits beside the accounts until its code makes one', async () => {
  const email = 'ada@example.net';
  const users = await count('users');
  const registered = await register({ email, password: PASSWORD, name: 'Ada King Lovelace', username: 'ada.l' });
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
