import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller, newEmail } from './started.ts';

const AUTH = '/api/v1/auth';
const PASSWORD = 'violet harbour 19 mandolin';
const NEW_PASSWORD = 'amber orchard 52 trombone';
const NEW_DEVICE =
  'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15';

let app: TestApp;
/** Another program in the same database, which holds rows for as long as a test wants. */
let holder: postgres.Sql;
before(async () => {
  app = await createTestApp();
  holder = postgres(app.urls.get('control') ?? '', { max: 1, onnotice: () => {} });
});
after(async () => {
  await holder.end();
  await app.close();
});

interface Person {
  email: string;
  userId: string;
  token: string;
  sessionId: string;
}

/** Somebody with a password, who was proved a moment ago. */
async function newPerson(): Promise<Person> {
  const email = newEmail();
  const { body } = await app.signIn({ email }, {}, { from: newCaller() });
  const token = body.access_token as string;
  const set = await app.post(`${AUTH}/change-password`, { new_password: PASSWORD }, { token });
  assert.equal(set.status, 200, JSON.stringify(set.body));
  app.clock.advance(5);
  return { email, userId: body.user.id, token, sessionId: body.session.id };
}

const logIn = (email: string, password: string): Promise<Answer> =>
  app.post(
    `${AUTH}/login`,
    { email, password },
    { from: newCaller(), headers: { 'user-agent': NEW_DEVICE } },
  );

async function newestLink(userId: string): Promise<string> {
  const { sql } = app.databases.control;
  await app.app.worker.dispatch();
  for (let attempt = 0; attempt < 200; attempt++) {
    const [row] =
      await sql`select i.value from identities i where i.user_id = ${userId} and i.kind = 'email'`;
    const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(String(row?.['value']))}&limit=10`);
    const told = (body as { text: string }[])
      .map(({ text }) => /\/not-me\/[\w-]+/.exec(text)?.[0])
      .find(Boolean);
    if (told) return told;
    await wait(10);
  }
  throw new Error('no notice with a link arrived');
}

/** Waits until so many statements of the servers stand before a lock, or until the work is done without. */
async function blocked(count: number, done: () => boolean = () => false): Promise<void> {
  for (let attempt = 0; attempt < 500 && !done(); attempt++) {
    const [row] = await app.databases.control.sql`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if (row?.['count'] >= count) return;
    await wait(10);
  }
  if (!done()) throw new Error('nothing waits for the row that is held');
}

/** Holds a session's row while `change` begins and somebody signs in meanwhile; gives both answers. */
async function signInDuring(
  session: string,
  change: () => Promise<{ status: number }>,
  enter: () => Promise<Answer>,
): Promise<{ changed: { status: number }; entered: Answer }> {
  let changed: Promise<{ status: number }> | undefined;
  let entered: Promise<Answer> | undefined;
  await holder.begin(async (sql) => {
    await sql`select id from sessions where id = ${session} for update`;
    changed = change();
    await blocked(1);
    let done = false;
    entered = enter().finally(() => (done = true));
    await blocked(2, () => done);
  });
  return { changed: await changed!, entered: await entered! };
}

async function assertNobodyEntered(entered: Answer): Promise<void> {
  if (entered.status === 401) return;
  const status = (await app.get(`${AUTH}/session`, { token: entered.body.access_token })).status;
  assert.equal(status, 401, 'a session that was opened meanwhile lives on');
}

test('S21 a sign-in by the old password, under way while another is set, leaves no session', async () => {
  const person = await newPerson();
  const other = await logIn(person.email, PASSWORD);
  const { token } = person;
  const { changed, entered } = await signInDuring(
    other.body.session.id,
    () => app.post(`${AUTH}/change-password`, { new_password: NEW_PASSWORD }, { token }),
    () => logIn(person.email, PASSWORD),
  );
  assert.equal(changed.status, 200);
  await assertNobodyEntered(entered);
});

test('S48 a thief who signs in again while the owner says "not me" is out as well', async () => {
  const person = await newPerson();
  const thief = await logIn(person.email, PASSWORD);
  const link = await newestLink(person.userId);
  const { changed, entered } = await signInDuring(
    thief.body.session.id,
    () => fetch(app.url + link, { method: 'POST' }),
    () => logIn(person.email, PASSWORD),
  );
  assert.equal(changed.status, 200);
  await assertNobodyEntered(entered);
});

test('S48 a password that a thief used is dropped, also when the thief has signed out since', async () => {
  const person = await newPerson();
  const thief = await logIn(person.email, PASSWORD);
  const link = await newestLink(person.userId);
  const out = await app.post(`${AUTH}/logout`, undefined, { token: thief.body.access_token });
  assert.equal(out.status, 200);
  assert.equal((await fetch(app.url + link, { method: 'POST' })).status, 200);
  assert.equal((await logIn(person.email, PASSWORD)).status, 401);
});

/** What ends sessions or changes an account in several statements, with the rows it takes first and later. */
const CHANGES: Record<string, (person: Person) => Promise<() => Promise<{ status: number }>>> = {
  async 'a forgotten password'({ email }) {
    const earlier = await app.newestMessage(email);
    const sent = await app.post(`${AUTH}/forgot-password`, { email }, { from: newCaller() });
    const code = await app.code(email, { after: earlier });
    const { verification_id } = sent.body;
    const proved = await app.post(`${AUTH}/verify-code`, { verification_id, code });
    const token = proved.body.reset_token as string;
    return () => app.post(`${AUTH}/reset-password`, { new_password: NEW_PASSWORD }, { token });
  },
  async 'a new password'({ token }) {
    return () => app.post(`${AUTH}/change-password`, { new_password: NEW_PASSWORD }, { token });
  },
  async '"this was not me"'({ userId, email }) {
    await logIn(email, PASSWORD);
    const link = await newestLink(userId);
    return () => fetch(app.url + link, { method: 'POST' });
  },
};

for (const [name, prepare] of Object.entries(CHANGES)) {
  test(`S21 ${name} that meets a sign-out in a ring of locks is tried again, not failed`, async () => {
    for (let attempt = 1; !(await meetsInARing(prepare)); attempt++)
      assert.ok(attempt < 5, 'the ring closes');
  });
}

/** False where this test's own transaction was ended instead: a slow machine had closed the ring too late. */
async function meetsInARing(prepare: (typeof CHANGES)[string]): Promise<boolean> {
  const person = await newPerson();
  const other = (await logIn(person.email, PASSWORD)).body.session.id as string;
  app.clock.advance(61);
  const change = await prepare(person);
  let changed: Promise<{ status: number }> | undefined;
  const isEnded = await holder
    .begin(async (sql) => {
      // As a sign-out takes them: the session first, then the account. Whoever waits first is the one that is ended.
      await sql`select id from sessions where id = ${other} for update`;
      changed = change();
      await blocked(1);
      await sql`update users set updated_at = updated_at where id = ${person.userId}`;
      return false;
    })
    .catch((fault: { code?: string }) => {
      if (fault.code !== '40P01') throw fault;
      return true;
    });
  assert.equal((await changed!).status, 200);
  assert.equal((await logIn(person.email, PASSWORD)).status, 401, 'the change took place');
  return !isEnded;
}
