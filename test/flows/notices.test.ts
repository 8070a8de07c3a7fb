import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const AUTH = '/api/v1/auth';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const NEWER = FIREFOX.replaceAll('140.0', '141.0');
const SAFARI = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1';

type Message = { subject: string | null; text: string; code: string | null; channel: string };
/** The notices an address got, once nothing is under way any more. */
async function notices(to: string): Promise<Message[]> {
  const { sql } = app.databases.control;
  for (let attempt = 0; attempt < 200; attempt++) {
    await app.app.worker.dispatch();
    const [open] = await sql`select (select count(*)::int from notices where told_at is null)
      + (select count(*)::int from messages where state in ('queued', 'sending')) as count`;
    if (open?.['count'] === 0) break;
    await wait(10);
  }
  const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(to)}&limit=20`);
  return (body as Message[]).filter((message) => message.code === null);
}
const signIn = (address: { email: string } | { phone: string }, agent: string, locale?: string) =>
  app.signIn(
    address,
    {},
    {
      from: newCaller(),
      headers: {
        'user-agent': agent,
        'x-tenant': 'default',
        ...(locale ? { 'accept-language': locale } : {}),
      },
    },
  );

test('S48 a sign-in on a new device is told by another channel, in the language of the person, and not twice', async () => {
  const email = 'two-ways@example.com';
  const phone = '+14155553001';
  const first = await signIn({ email }, FIREFOX, 'ru');
  assert.equal(first.status, 201);
  const token = first.body.access_token as string;
  const sent = await app.post(`${AUTH}/identities`, { phone }, { token, from: newCaller() });
  const code = await app.code(phone);
  const linked = await app.post(
    `${AUTH}/verify-code`,
    { verification_id: sent.body.verification_id, code },
    { token },
  );
  assert.equal(linked.status, 200);
  assert.equal(
    (await notices(email)).length,
    1,
    'told that an address was added; no word about the first device',
  );

  await signIn({ email }, NEWER);
  assert.equal((await notices(phone)).length, 0, 'an update of the browser is no new device');
  await signIn({ phone }, SAFARI, 'en');
  const [mail, ...more] = await notices(email);
  assert.equal(more.length, 1, 'one more than before');
  assert.equal((await notices(phone)).length, 0, 'not by the way it was done');
  assert.match(mail?.text ?? '', /Здравствуйте/, 'in the language of the first proof, not of the new device');
  assert.match(mail?.text ?? '', /Safari/);
  await signIn({ phone }, SAFARI);
  assert.equal((await notices(email)).length, 2, 'a device that is known');
});

test('S48 "this was not me" ends the new session, drops the password it came by, and leaves the others', async () => {
  const email = 'robbed@example.com';
  const own = await signIn({ email }, FIREFOX);
  const token = own.body.access_token as string;
  const password = 'violet harbour 19 mandolin';
  assert.equal(
    (await app.post(`${AUTH}/change-password`, { new_password: password }, { token })).status,
    200,
  );
  assert.equal((await notices(email)).length, 1, 'the new password is told, by the only way there is');
  app.clock.advance(5);
  const thief = await app.post(
    `${AUTH}/login`,
    { email, password },
    { from: newCaller(), headers: { 'user-agent': SAFARI } },
  );
  assert.equal(thief.status, 200);
  const [notice] = await notices(email);
  const path = /https:\/\/auth\.test(\/not-me\/[\w-]+)/.exec(notice?.text ?? '')?.[1] ?? '';
  const pressed = await fetch(app.url + path, { method: 'POST' });
  assert.equal(pressed.status, 200);
  assert.equal((await app.get(`${AUTH}/session`, { token: thief.body.access_token })).status, 401);
  assert.equal((await app.get(`${AUTH}/session`, { token })).status, 200);
  const again = await app.post(`${AUTH}/login`, { email, password }, { from: newCaller() });
  assert.equal(again.status, 401);
  const other = await app.post(`${AUTH}/logout`, { scope: 'others' }, { token });
  assert.equal(other.status, 403, 'every session must prove itself anew');
});

test('S48 a notice is written with its event or not at all, and one server that dies leaves it to the next', async () => {
  const email = 'crashed@example.com';
  const { sql } = app.databases.control;
  await signIn({ email }, FIREFOX);
  await sql`update notices set told_at = told_at`;
  await sql.unsafe(`create function refuse_notice() returns trigger language plpgsql as $$ begin raise exception 'failpoint'; end $$;
    create trigger failpoint before insert on notices execute function refuse_notice()`);
  const refused = await signIn({ email }, SAFARI);
  assert.equal(refused.status, 500);
  await sql.unsafe('drop trigger failpoint on notices; drop function refuse_notice()');
  const [row] = await sql`select count(*)::int as sessions from sessions s join users u on u.id = s.user_id
    join identities i on i.user_id = u.id where i.value = ${email}`;
  assert.equal(row?.['sessions'], 1, 'no session without the notice that it owes');

  app.clock.advance(61);
  await signIn({ email }, SAFARI);
  await notices(email);
  // As a server leaves it that dies between the commit and the message.
  await sql`update notices set told_at = null where kind = 'new_device'`;
  const before = (await notices(email)).length;
  await app.app.worker.dispatch();
  assert.ok(before >= 1);
  const [left] = await sql`select count(*)::int as untold from notices where told_at is null`;
  assert.equal(left?.['untold'], 0);
});

test('S48 after "this was not me" the device is a stranger’s: its token has none of what is kept for the owner', async () => {
  const email = 'kept-for-me@example.com';
  const own = await signIn({ email }, FIREFOX);
  const token = own.body.access_token as string;
  const password = 'violet harbour 19 mandolin';
  const set = await app.post(`${AUTH}/change-password`, { new_password: password }, { token });
  assert.equal(set.status, 200);
  await notices(email);
  app.clock.advance(5);
  const thief = await app.post(
    `${AUTH}/login`,
    { email, password },
    { from: newCaller(), headers: { 'user-agent': SAFARI } },
  );
  const [notice] = await notices(email);
  const path = /https:\/\/auth\.test(\/not-me\/[\w-]+)/.exec(notice?.text ?? '')?.[1] ?? '';
  assert.equal((await fetch(app.url + path, { method: 'POST' })).status, 200);
  const login = async (deviceToken?: string) => {
    const headers = deviceToken === undefined ? {} : { 'x-device-token': deviceToken };
    const options = { from: newCaller(), headers };
    return (await app.post(`${AUTH}/login`, { email, password: 'not it at all' }, options)).status;
  };
  for (let wrong = 0; wrong < 10; wrong++) assert.equal(await login(), 401);
  assert.equal(await login(thief.body.session.device_token as string), 429);
  assert.equal(await login(own.body.session.device_token as string), 401, 'the owner has three');
});
