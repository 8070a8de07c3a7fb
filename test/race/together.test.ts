import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Sql } from '../../src/db/database.ts';
import { silentLog } from '../../src/kernel/log.ts';
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
/** A statement that was cancelled because it took too long is warned of; one that met a lock is not. */
const warnings: unknown[] = [];
before(async () => {
  app = await createTestApp({
    log: { ...silentLog, warn: ({ event, error }) => event === 'separated' && warnings.push(error) },
  });
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

/** What a stranger's transaction may hold while ordinary requests come by. */
const strangers: Record<string, (sql: Sql, email: string) => Promise<unknown>> = {
  "an address's row": (sql, email) => sql`select from address_budgets where value = ${email} for update`,
  'an account that is being made of the address': async (sql, email) => {
    const id = randomUUID();
    const { id: tenant } = app.app.tenants.bySlug('default') ?? assert.fail();
    await sql`insert into users (tenant_id, id, role, created_at, updated_at) values (${tenant}, ${id}, 'user', now(), now())`;
    await sql`insert into identities (tenant_id, id, user_id, kind, value, as_entered, created_at)
      values (${tenant}, ${randomUUID()}, ${id}, 'email', ${email}, ${email}, now())`;
  },
  'an older code of the address': (sql, email) =>
    sql`select from verifications where value = ${email} order by created_at limit 1 for update`,
};

for (const [what, hold] of Object.entries(strangers)) {
  test(`S01 ${what}, held by somebody else, does not hold up the proofs that arrive with it`, async () => {
    // Few enough that each has a connection of its own once they are separated.
    const [first, ...others] = (await many(3)) as [Started, ...Started[]];
    app.clock.advance(61);
    const held = await start(app, first.email);
    const stranger = await holdOpen((sql) => hold(sql, held.email));
    let isAnswered = false;
    const proofOf = ({ handle, code }: Started) => ({ verification_id: handle, verification_code: code });
    const waiting = app.post(verifyPath, proofOf(held)).then((answer) => {
      isAnswered = true;
      return answer;
    });
    const answers = await Promise.all(others.map((one) => app.post(verifyPath, proofOf(one))));
    const wasAnswered = isAnswered;
    await stranger.rollBack();
    assert.deepEqual(
      answers.map(({ status }) => status),
      others.map(() => 201),
    );
    assert.equal(wasAnswered, false, 'the one whose address is held has waited');
    assert.equal((await waiting).status, 201);
    assert.deepEqual(warnings, [], 'nobody has waited long');
  });
}

test('S30 a send to an address that somebody else is writing does not hold up the sends that arrive with it', async () => {
  const held = newEmail();
  const { id: tenant } = app.app.tenants.bySlug('default') ?? assert.fail();
  const stranger = await holdOpen(
    (sql) => sql`insert into address_budgets (tenant_id, kind, value, taken_by)
      values (${tenant}, 'email', ${held}, ${randomUUID()})`,
  );
  const send = (email: string) => app.post(sendPath, { email }, { from: newCaller() });
  let isAnswered = false;
  const waiting = send(held).then((answer) => {
    isAnswered = true;
    return answer;
  });
  const answers = await Promise.all(Array.from({ length: 2 }, () => send(newEmail())));
  const wasAnswered = isAnswered;
  await stranger.rollBack();
  assert.deepEqual(tally(answers), { '200': 2 });
  assert.equal(wasAnswered, false, 'the one that is held has waited');
  assert.equal((await waiting).status, 200);
  assert.deepEqual(warnings, [], 'nobody has waited long');
});

/** A transaction of a stranger that stays open. */
async function holdOpen(take: (sql: Sql) => Promise<unknown>): Promise<{ rollBack(): Promise<void> }> {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const open = app.databases.control
    .transaction(async (begun) => {
      await take(begun as unknown as Sql);
      taken.resolve();
      await promise;
      throw new Error('rolled back');
    })
    .catch((fault: Error) => {
      if (fault.message !== 'rolled back') taken.reject(fault);
    });
  await taken.promise;
  return {
    async rollBack() {
      release();
      await open;
    },
  };
}
