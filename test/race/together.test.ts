import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, tally } from './at-once.ts';
import {
  newCaller,
  newEmail,
  sendPath,
  signIn,
  start,
  type Started,
  verifyPath,
  wrongCodes,
} from './started.ts';

/** What one statement writes for many requests: each must end as if it had come alone. */

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp();
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

const server = (index: number): TestApp => (index % 2 === 0 ? app : replica);
const many = (count: number): Promise<Started[]> =>
  Promise.all(Array.from({ length: count }, () => start(app)));

test('S01 of many codes checked together each is its own: right ones sign in, wrong ones are counted once', async () => {
  const started = await many(24);
  const bodyOf = (one: Started, index: number): unknown => ({
    verification_id: one.handle,
    verification_code: index % 3 === 0 ? wrongCodes(1, one.code)[0] : one.code,
    first_name: `Person ${index}`,
  });
  const answers = await atOnce(
    started.map((one, index) => ({ app: server(index >> 1), path: verifyPath, body: bodyOf(one, index) })),
  );
  for (const [index, { status, body }] of answers.entries()) {
    const { email } = started[index] as Started;
    if (index % 3 === 0) {
      assert.equal(status, 401, JSON.stringify(body));
      assert.equal(body.attempts_left, 4);
    } else {
      assert.equal(status, 201, JSON.stringify(body));
      assert.equal(body.user.first_name, `Person ${index}`);
      assert.deepEqual(
        body.user.identities.map((identity: { value: string }) => identity.value),
        [email],
      );
      assert.equal(
        (await server(index).get('/api/v1/auth/me', { token: body.access_token })).body.user.id,
        body.user.id,
      );
    }
  }
  const { sql } = app.databases.control;
  const [counted] = await sql`
    select count(*) filter (where attempts = 1)::int as once, count(*)::int as all from verifications
    where value = any(${started.map(({ email }) => email)}::text[])`;
  assert.deepEqual(counted, { once: 24, all: 24 });
  const events = await sql`
    select action, count(*)::int as count from audit_events
    where data ->> 'verification_id' in (select id::text from verifications
      where value = any(${started.map(({ email }) => email)}::text[]))
    group by action order by action`;
  assert.deepEqual(
    events.map(({ action, count }) => [action, count]),
    [
      ['code.wrong', 8],
      ['user.created', 16],
      ['user.signed_in', 16],
    ],
  );
});

test('S01 two codes for one verification that arrive together are two attempts, each with its own answer', async () => {
  for (let round = 0; round < 5; round++) {
    const { handle, code } = await start(app);
    const [wrong] = wrongCodes(1, code);
    const answers = await atOnce(
      [wrong, code, wrong].map((verification_code) => ({
        app,
        path: verifyPath,
        body: { verification_id: handle, verification_code },
      })),
    );
    assert.equal(answers[1]?.status, 201);
    assert.notEqual(answers[0]?.status, 201, 'a wrong code never gets the answer of the right one');
    assert.notEqual(answers[2]?.status, 201);
  }
});

test('S06 two addresses of one account, proved at once among others: the statement fails, and each goes alone', async () => {
  const person = await signIn(app);
  const second = newEmail();
  const { sql } = app.databases.control;
  await sql`
    insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
    select tenant_id, kind, ${second}, gen_random_uuid(), user_id, ${second}, verified_at, created_at
    from identities where value = ${person.email}`;
  app.clock.advance(61);
  const started = [await start(app, person.email), await start(app, second), ...(await many(6))];
  const answers = await atOnce(
    started.map(({ handle, code }) => ({
      app,
      path: verifyPath,
      body: { verification_id: handle, verification_code: code },
    })),
  );
  assert.deepEqual(tally(answers), { '200': 2, '201': 6 });
  assert.deepEqual(
    answers.slice(0, 2).map(({ body }) => body.user.id),
    [person.userId, person.userId],
  );
  const [row] = await sql<{ live_sessions: number; sessions: number }[]>`
    select live_sessions, (select count(*)::int from sessions where user_id = u.id and revoked_at is null) as sessions
    from users u where id = ${person.userId}`;
  assert.deepEqual({ ...row }, { live_sessions: 3, sessions: 3 });
});

test('S30 of sends that arrive together each address gets its own code, and one of the same address none', async () => {
  const emails = Array.from({ length: 20 }, newEmail);
  const asked = [...emails, ...emails.slice(0, 5)];
  const answers = await atOnce(
    asked.map((email, index) => ({ app: server(index), path: sendPath, body: { email }, from: newCaller() })),
  );
  assert.deepEqual(tally(answers), { '200': 20, '429 RESEND_TOO_SOON': 5 });
  for (const [index, { status, body }] of answers.entries()) {
    if (status !== 200) continue;
    const email = asked[index] as string;
    const proof = { verification_id: body.verification_id, verification_code: await app.code(email) };
    assert.equal((await app.post(verifyPath, proof)).body.user.identities[0].value, email);
  }
});

test('S01 an address that somebody holds does not hold up those that arrive with it', async () => {
  const [held, ...others] = (await many(6)) as [Started, ...Started[]];
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const holding = Promise.withResolvers<void>();
  const holder = app.databases.control.transaction(async (sql) => {
    await sql`select from address_budgets where value = ${held.email} for update`;
    holding.resolve();
    await promise;
  });
  await holding.promise;
  let isAnswered = false;
  const proofOf = ({ handle, code }: Started) => ({ verification_id: handle, verification_code: code });
  const waiting = app.post(verifyPath, proofOf(held)).then((answer) => {
    isAnswered = true;
    return answer;
  });
  const answers = await Promise.all(others.map((one) => app.post(verifyPath, proofOf(one))));
  const sends = await Promise.all([
    app.post(sendPath, { email: newEmail() }, { from: newCaller() }),
    app.post(sendPath, { email: newEmail() }, { from: newCaller() }),
  ]);
  const wasAnswered = isAnswered;
  release();
  await holder;
  assert.deepEqual(
    answers.map(({ status }) => status),
    others.map(() => 201),
  );
  assert.deepEqual(
    sends.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(wasAnswered, false, 'the one whose address is held has waited');
  assert.equal((await waiting).status, 201);
});
