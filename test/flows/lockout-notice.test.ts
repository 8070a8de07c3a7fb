import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { newCaller, sendPath, verifyPath, wrongCodes } from '../race/started.ts';

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp({ tenants: { default: { passwords: { enabled: true } } } });
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

type Message = { subject: string | null; text: string; code: string | null; channel: string };
const headers = { 'x-tenant': 'default' };

/** The notices an address got, once nothing is under way any more. */
async function notices(to: string): Promise<Message[]> {
  const { sql } = app.databases.control;
  for (let attempt = 0; attempt < 200; attempt++) {
    await wait(10);
    await app.app.worker.dispatch();
    const [open] = await sql`select (select count(*)::int from notices where told_at is null)
      + (select count(*)::int from messages where state in ('queued', 'sending')) as count`;
    if (open?.['count'] === 0) break;
  }
  const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(to)}&limit=20`);
  return (body as Message[]).filter((message) => message.code === null);
}

/** An account with these addresses, the first of which made it; its notices so far are read and forgotten. */
async function person(first: { email: string } | { phone: string }, second?: object, locale = 'en') {
  const options = { from: newCaller(), headers: { ...headers, 'accept-language': locale } };
  const { body } = await app.signIn(first, {}, options);
  const token = body.access_token as string;
  if (second) {
    const sent = await app.post('/api/v1/auth/identities', second, { token, headers });
    const to = Object.values(second)[0] as string;
    const code = await app.code(to);
    const linked = { verification_id: sent.body.verification_id, code };
    assert.equal((await app.post(verifyPath, linked, { token })).status, 200);
  }
  app.clock.advance(61);
  return { token, known: (await notices(Object.values(first)[0] as string)).length };
}

/** Strangers guess until nothing is left to them. */
async function hammer(address: { email: string } | { phone: string }): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await app.post(sendPath, address, { from: newCaller(), headers });
    const guesses = wrongCodes(5).map((code) =>
      app.post(verifyPath, { ...address, code }, { from: newCaller(), headers }),
    );
    await Promise.all(guesses);
    // Until these codes are over: each keeps a comparison for its holder.
    if (round < 2) app.clock.advance(301);
  }
}

test('S48 the owner of an address that strangers have locked is told once, by another way and in their language', async () => {
  const phone = '+14155554001';
  const email = 'locked@example.com';
  const { known } = await person({ email }, { phone }, 'ru');
  await hammer({ phone });
  const [notice, ...earlier] = await notices(email);
  assert.equal(earlier.length, known, 'one more');
  assert.match(notice?.subject ?? '', /Слишком много неверных попыток/);
  assert.doesNotMatch(notice?.text ?? '', /not-me/, 'there is nothing to undo');
  assert.equal((await notices(phone)).length, 0, 'no SMS');
  app.clock.advance(3601);
  await hammer({ phone });
  assert.equal((await notices(email)).length, known + 1, 'once a day');
  app.clock.advance(86_400);
  await hammer({ phone });
  assert.equal((await notices(email)).length, known + 2, 'a new day');
});

test('S48 an address that nobody guessed at too often is told of nothing', async () => {
  const email = 'mistyped@example.com';
  const { known } = await person({ email });
  await app.post(sendPath, { email }, { from: newCaller(), headers });
  for (const code of wrongCodes(3)) await app.post(verifyPath, { email, code }, { headers });
  assert.equal((await notices(email)).length, known);
});

test('S48 who has one address only is told there: free where that is possible, else by a single SMS', async () => {
  const email = 'only-mail@example.com';
  await person({ email });
  await hammer({ email });
  assert.match((await notices(email))[0]?.subject ?? '', /Too many wrong tries/);
  const phone = '+14155554002';
  await person({ phone });
  await hammer({ phone });
  await hammer({ phone });
  assert.equal((await notices(phone)).length, 1);
});

test('S48 passwords: the mailbox that is guessed at is told, not the phone at a stranger’s cost', async () => {
  const phone = '+14155554003';
  const email = 'pwd-locked@example.com';
  const { token } = await person({ email }, { phone });
  const fresh = await app.post('/api/v1/auth/step-up', {}, { token });
  const code = await app.code(email);
  await app.post(verifyPath, { verification_id: fresh.body.verification_id, code }, { token });
  const new_password = 'violet harbour 19 mandolin';
  assert.equal((await app.post('/api/v1/auth/change-password', { new_password }, { token })).status, 200);
  const known = (await notices(email)).length;
  for (let guess = 0; guess < 12; guess++) {
    const password = `wrong harbour ${guess}`;
    await app.post('/api/v1/auth/login', { email, password }, { from: newCaller(), headers });
  }
  assert.equal((await notices(email)).length, known + 1);
  assert.equal((await notices(phone)).filter(({ text }) => /Too many/.test(text)).length, 0);
});

test('S48 an address closed by a hundred wrong codes in a row is told with what opens it', async () => {
  const phone = '+14155554004';
  const email = 'closed@example.com';
  const { known } = await person({ email }, { phone });
  await app.databases.control.sql`update address_budgets set failures_in_a_row = 99 where value = ${phone}`;
  const from = newCaller();
  const solution = await solve((await app.get('/api/v1/auth/challenge', { from })).body.challenge);
  await app.post(sendPath, { phone }, { from, headers: { ...headers, 'x-challenge-solution': solution } });
  await app.post(verifyPath, { phone, code: '000000' }, { from: newCaller(), headers });
  const [notice, ...earlier] = await notices(email);
  assert.equal(earlier.length, known);
  assert.match(notice?.subject ?? '', /Codes are switched off/);
  assert.match(notice?.text ?? '', /•/, 'which address, masked');
});

test('S48 of many locked guesses at two servers at once one notice comes, and one a server that died owed', async () => {
  const phone = '+14155554005';
  const email = 'many@example.com';
  const { known } = await person({ email }, { phone });
  const { sql } = app.databases.control;
  await sql.unsafe(`create function refuse_notice() returns trigger language plpgsql as $$ begin raise exception 'failpoint'; end $$;
    create trigger failpoint before insert on notices for each row execute function refuse_notice()`);
  await hammer({ phone });
  assert.equal((await notices(email)).length, known, 'it could not be written');
  await sql.unsafe('drop trigger failpoint on notices; drop function refuse_notice()');
  const guesses = wrongCodes(20).map((code, index) =>
    (index % 2 === 0 ? app : replica).post(verifyPath, { phone, code }, { from: newCaller(), headers }),
  );
  await Promise.all(guesses);
  assert.equal((await notices(email)).length, known + 1);
});
