import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';

const PASSWORD = 'violet-Harbour-42';
let app: TestApp;
let second: TestApp;
let callers = 0;
const caller = (): { from: string } => ({ from: `198.51.${Math.floor(++callers / 250)}.${callers % 250}` });

before(async () => {
  app = await createTestApp();
  second = await app.replica();
});
after(async () => {
  await second.close();
  await app.close();
});

const nodes = (): TestApp[] => [app, second];
const at = (index: number): TestApp => nodes()[index % 2] ?? app;
const rows = async (table: string, email: string): Promise<number> => {
  const found = await app.databases.control.sql.unsafe(`select 1 from ${table} where value = $1`, [email]);
  return found.length;
};

test('S06 twenty proofs of one registration at once, with odd bodies among them: one account', async () => {
  for (let round = 0; round < 5; round++) {
    const email = `race${round}@example.net`;
    const { body } = await app.post(
      '/api/v1/auth/register',
      { email, password: PASSWORD, username: `r${round}` },
      caller(),
    );
    const code = await app.code(email);
    const odd = [null, '', [], [code], { code }, 0];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        at(index).post('/api/v1/auth/verify-code', {
          ...(index % 3 === 0 ? { email } : { verification_id: body.verification_id }),
          otp: index % 4 === 3 ? odd[index % odd.length] : code,
        }),
      ),
    );
    const created = answers.filter((answer) => answer.status === 201);
    assert.equal(
      created.length,
      1,
      JSON.stringify(answers.map((answer) => answer.body.error ?? answer.status)),
    );
    for (const { status, body: answer } of answers) {
      if (status !== 201)
        assert.ok(['VERIFICATION_NOT_FOUND', 'INVALID_REQUEST'].includes(answer.error), answer.error);
    }
    assert.equal(await rows('identities', email), 1);
    assert.equal(await rows('pending_registrations', email), 0);
  }
  // Every account has exactly one consumed verification that made it, and the reverse (I1).
  const [row] = await app.databases.control.sql`
    select (select count(*) from users)::int as users,
      (select count(*) from users u join verifications v on v.id = u.verification_id
        where v.consumed_at is not null)::int as proved,
      (select count(*) from verifications where consumed_at is not null)::int as consumed`;
  assert.deepEqual({ ...row }, { users: 5, proved: 5, consumed: 5 });
});

test('S06 the same form sent twenty times at once waits once', async () => {
  const email = 'double@example.net';
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      at(index).post('/api/v1/auth/register', { email, password: PASSWORD, name: 'Dora Double' }, caller()),
    ),
  );
  const statuses = new Set(answers.map((answer) => answer.status));
  assert.ok(statuses.has(202));
  for (const status of statuses) assert.ok([202, 429, 503].includes(status), String(status));
  assert.equal(await rows('pending_registrations', email), 1);
  const verified = await app.post('/api/v1/auth/verify-code', { email, code: await app.code(email) });
  assert.equal(verified.status, 201);
  assert.equal(verified.body.next_action, undefined);
});

test('S06 registrations and proofs of one address at once: one account, and nothing that waits can be used', async () => {
  for (let round = 0; round < 8; round++) {
    const email = `mixed${round}@example.net`;
    const { body } = await app.post('/api/v1/auth/register', { email, password: PASSWORD }, caller());
    const code = await app.code(email);
    const strangers: Promise<Answer>[] = [];
    const proofs: Promise<Answer>[] = [];
    for (let index = 0; index < 4; index++) {
      const password = `stranger-Pass-${round}${index}`;
      strangers.push(at(index).post('/api/v1/auth/register', { email, password }, caller()));
      proofs.push(
        at(index).post('/api/v1/auth/verify-code', { verification_id: body.verification_id, code }),
      );
    }
    assert.equal((await Promise.all(proofs)).filter((answer) => answer.status === 201).length, 1);
    await Promise.all(strangers);
    assert.equal(await rows('identities', email), 1);
    const owner = await app.post('/api/v1/auth/login', { email, password: PASSWORD }, caller());
    assert.equal(owner.status, 200);
    for (let index = 0; index < 4; index++) {
      const password = `stranger-Pass-${round}${index}`;
      const stranger = await app.post('/api/v1/auth/login', { email, password }, caller());
      assert.equal(stranger.body.error, 'INVALID_CREDENTIALS');
    }
  }
});

test('S21 a reset token spent by many at once is spent once, and the old password opens nothing meanwhile', async () => {
  const email = 'reset@example.net';
  await app.post('/api/v1/auth/register', { email, password: PASSWORD }, caller());
  await app.post('/api/v1/auth/verify-code', { email, code: await app.code(email) });
  const before = await app.code(email);
  const sent = await app.post('/api/v1/auth/forgot-password', { email }, caller());
  const code = await app.code(email, { not: before });
  const proved = await app.post('/api/v1/auth/verify-code', {
    verification_id: sent.body.verification_id,
    code,
  });
  const token = proved.body.reset_token as string;
  const [resets, logins] = await Promise.all([
    Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        at(index).post('/api/v1/auth/reset-password', { new_password: `copper-Window-${index}8` }, { token }),
      ),
    ),
    Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        at(index).post('/api/v1/auth/login', { email, password: PASSWORD }, caller()),
      ),
    ),
  ]);
  const winners = resets.filter((answer) => answer.status === 200);
  assert.equal(winners.length, 1);
  for (const answer of logins.filter(({ status }) => status === 200)) {
    const session = await app.get('/api/v1/auth/session', { token: answer.body.access_token });
    assert.equal(session.status, 401, 'a session of the old password lives on');
  }
  const [row] = await app.databases.control.sql`
    select u.live_sessions, (select count(*)::int from sessions s where s.user_id = u.id and s.revoked_at is null) as live
    from users u where u.id = ${proved.body.user.id}`;
  assert.deepEqual({ ...row }, { live_sessions: 1, live: 1 });
});
