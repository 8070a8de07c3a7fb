import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { persianDigits } from '../persian-digits.ts';
import { membershipUpdate, type Person, telegramOf, textUpdate } from '../telegram/person.ts';

// Flow A: a site whose people sign in by their Telegram user id, step by step with the rows of each step.

let app: TestApp;
let telegram: ReturnType<typeof telegramOf>;
before(async () => {
  app = await createTestApp();
  telegram = telegramOf(app);
});
after(() => app.close());

const ADA: Person = { id: 513_611_281, first_name: 'Ada', username: 'ada_l', language_code: 'en' };

let caller = 0;
const somebody = () => ({ from: `198.51.100.${++caller}` });

async function rows(query: string, ...values: unknown[]) {
  const { sql } = app.databases.control;
  return sql.unsafe(query, values as never[]);
}

async function counts(id: number) {
  const [row] = await rows(
    `select (select count(*)::int from telegram_chats where chat_id::text = $1) as chats,
      (select count(*)::int from verifications where kind = 'telegram' and value = $1) as verifications,
      (select count(*)::int from identities where kind = 'telegram' and value = $1) as identities,
      (select count(*)::int from users u join identities i on i.user_id = u.id where i.value = $1) as users,
      (select count(*)::int from sessions s join identities i on i.user_id = s.user_id where i.value = $1
        and s.revoked_at is null) as sessions,
      (select count(*)::int from messages m join verifications v on v.id = m.verification_id where v.value = $1)
        as messages,
      (select count(*)::int from address_budgets where kind = 'telegram' and value = $1) as budgets`,
    String(id),
  );
  return row;
}

const NOTHING = { chats: 0, verifications: 0, identities: 0, users: 0, sessions: 0, messages: 0, budgets: 0 };

test('A6 a user id whose chat the bot does not know: the bot’s link, nothing sent, nothing stored', async () => {
  const refused = await app.post('/api/v1/auth/send-verification', { telegram_user_id: 999_001 }, somebody());
  assert.equal(refused.status, 409);
  assert.equal(refused.body.error, 'TELEGRAM_CHAT_UNKNOWN');
  assert.match(refused.body.bot_link, /^https:\/\/t\.me\/\w+$/);
  assert.equal(refused.body.next_action, 'OPEN_BOT');
  assert.deepEqual(await counts(999_001), NOTHING);
  assert.deepEqual((await app.get('/dev/messages?to=999001')).body, []);
});

test('A6 asking about user ids costs the caller, and where answers are uniform nothing tells them apart', async () => {
  const from = somebody();
  for (let asked = 0; asked < 10; asked++) {
    const id = 999_100 + asked;
    const { status } = await app.post('/api/v1/auth/send-verification', { telegram_user_id: id }, from);
    assert.equal(status, 409);
  }
  const past = await app.post('/api/v1/auth/send-verification', { telegram_user_id: 999_200 }, from);
  assert.equal(past.status, 200, 'past the open answers of an hour it reads like a known one');
  assert.deepEqual((await app.get('/dev/messages?to=999200')).body, []);
});

test('A1 A3 from the site: Start, the id, the code in the chat, names; account before session, in one piece', async () => {
  const hello = await telegram.write(ADA, '/start');
  assert.match(hello?.text ?? '', /Hello Ada!.*513611281/s);
  assert.deepEqual(await counts(ADA.id), { ...NOTHING, chats: 1 });

  const sent = await app.post('/api/v1/auth/send-verification', { telegram_user_id: ADA.id }, somebody());
  assert.equal(sent.status, 200);
  assert.equal(sent.body.channel, 'telegram');
  const code = await app.code(String(ADA.id));
  assert.deepEqual(await counts(ADA.id), { ...NOTHING, chats: 1, verifications: 1, messages: 1, budgets: 1 });

  const body = {
    verification_id: sent.body.verification_id,
    verification_code: code,
    style: 'opaque',
    first_name: 'Mallory',
    last_name: 'Lovelace',
    username: 'mallory',
  };
  const proved = await app.post('/api/v1/auth/verify-code', body, somebody());
  assert.equal(proved.status, 201);
  assert.equal(proved.body.is_new_user, true);
  assert.equal(proved.body.user.telegram_user_id, String(ADA.id));
  // What Telegram told goes before what the site sent; what it did not tell is taken as a hint (C4).
  assert.equal(proved.body.user.first_name, 'Ada');
  assert.equal(proved.body.user.username, 'ada_l');
  assert.equal(proved.body.user.last_name, 'Lovelace');
  const session = await app.get('/api/v1/auth/session', { token: proved.body.session_token });
  assert.equal(session.body.active, true);
  assert.deepEqual(await counts(ADA.id), {
    ...{ chats: 1, verifications: 1, identities: 1, users: 1, sessions: 1, messages: 1, budgets: 1 },
  });
  const [made] = await rows(
    `select u.verification_id = v.id as by_proof, v.consumed_at is not null as consumed, s.created_at >= u.created_at as after
     from users u join identities i on i.user_id = u.id join verifications v on v.value = i.value
       join sessions s on s.user_id = u.id where i.value = $1`,
    String(ADA.id),
  );
  assert.deepEqual({ ...made }, { by_proof: true, consumed: true, after: true });
});

test('A2 /verify in the bot does the same, and answers with a session token of this chat', async () => {
  const bob: Person = { id: 700_200_300, first_name: 'Bob' };
  await telegram.write(bob, '/start');
  await app.post('/api/v1/auth/send-verification', { telegram_user_id: String(bob.id) }, somebody());
  const code = await app.code(String(bob.id));
  const wrong = await telegram.write(bob, `/verify ${code === '111111' ? '222222' : '111111'}`);
  assert.match(wrong?.text ?? '', /not right.*Tries left: 4/s);
  const answer = await telegram.write(bob, `/verify ${code}`);
  const token = /fps_[\w-]{80}/.exec(answer?.text ?? '')?.[0];
  assert.ok(token, answer?.text);
  assert.equal(answer?.buttons?.[0]?.[0]?.copy_text?.text, token);
  const session = await app.get('/api/v1/auth/session', { token });
  assert.equal(session.status, 200);
  const [device] = await rows(
    'select d.kind, telegram_chat_id::text as chat from devices d join identities i on i.user_id = d.user_id where i.value = $1',
    String(bob.id),
  );
  assert.deepEqual({ ...device }, { kind: 'telegram', chat: String(bob.id) });
  const again = await telegram.write(bob, `/verify ${code}`);
  assert.match(again?.text ?? '', /already used/);
});

test('A2 a code alone is taken too, in the digits of a Persian keyboard', async () => {
  const dara: Person = { id: 700_200_350, first_name: 'Dara' };
  await telegram.write(dara, '/start');
  await app.post('/api/v1/auth/send-verification', { telegram_user_id: String(dara.id) }, somebody());
  const code = await app.code(String(dara.id));
  const typed = persianDigits(code);
  assert.match((await telegram.write(dara, typed))?.text ?? '', /fps_[\w-]{80}/);
});

test('A3 names follow what Telegram tells, until the owner has chosen their own', async () => {
  const eve: Person = { id: 700_200_400, first_name: 'Eve' };
  const signIn = async (): Promise<{ token: string; user: Record<string, unknown> }> => {
    app.clock.advance(61);
    const newest = await app.newestMessage(String(eve.id));
    const { body } = await app.post(
      '/api/v1/auth/send-verification',
      { telegram_user_id: eve.id },
      somebody(),
    );
    const code = await app.code(String(eve.id), { after: newest });
    const proof = { verification_id: body.verification_id, code, first_name: 'From the site' };
    const proved = await app.post('/api/v1/auth/verify-code', proof, somebody());
    return { token: proved.body.access_token, user: proved.body.user };
  };
  await telegram.write(eve, '/start');
  assert.equal((await signIn()).user['first_name'], 'Eve');
  await telegram.write({ ...eve, first_name: 'Eva', last_name: 'Novak' }, '/help');
  const second = await signIn();
  assert.deepEqual([second.user['first_name'], second.user['last_name']], ['Eva', 'Novak']);
  await app.request('PATCH', '/api/v1/auth/me', { first_name: 'Evita' }, { token: second.token });
  assert.equal((await signIn()).user['first_name'], 'Evita');
});

test('A4 A5 logging out ends the session for good, and no session is left without its account', async () => {
  await telegram.write(ADA, '/start');
  app.clock.advance(61);
  const newest = await app.newestMessage(String(ADA.id));
  await app.post('/api/v1/auth/send-verification', { telegram_user_id: ADA.id }, somebody());
  const code = await app.code(String(ADA.id), { after: newest });
  const proved = await app.post(
    '/api/v1/auth/verify-code',
    { telegram_user_id: ADA.id, code, style: 'opaque' },
    somebody(),
  );
  const token = proved.body.session_token as string;
  assert.equal((await app.post('/api/v1/auth/logout', {}, { token })).status, 200);
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 401);
  const other = await app.replica();
  assert.equal((await other.get('/api/v1/auth/session', { token })).status, 401, 'also after a restart');
  await other.close();
  const orphans = await rows(
    'select 1 from sessions s left join users u on u.id = s.user_id where u.id is null',
  );
  assert.equal(orphans.length, 0);
});

test('a person who stops the bot gets no codes there and is told to begin anew; Start opens it again', async () => {
  const kim: Person = { id: 700_200_500, first_name: 'Kim' };
  await telegram.write(kim, '/start');
  await telegram.bring(membershipUpdate(kim, 'kicked'));
  const refused = await app.post('/api/v1/auth/send-verification', { telegram_user_id: kim.id }, somebody());
  assert.equal(refused.body.error, 'TELEGRAM_CHAT_UNKNOWN');
  await telegram.bring(membershipUpdate(kim, 'member'));
  const sent = await app.post('/api/v1/auth/send-verification', { telegram_user_id: kim.id }, somebody());
  assert.equal(sent.status, 200);
  const actions = await rows(
    'select action from audit_events where subject = $1 order by action',
    `telegram_chat:${kim.id}`,
  );
  assert.deepEqual(
    actions.map((row) => row['action']),
    ['telegram.blocked', 'telegram.started', 'telegram.unblocked'],
  );
});

test('the same update twice has one effect and one answer', async () => {
  const lee: Person = { id: 700_200_600, first_name: 'Lee' };
  const update = textUpdate(lee, '/start');
  const answers = await Promise.all([telegram.bring(update), telegram.bring(update), telegram.bring(update)]);
  assert.ok(answers.some(({ status }) => status === 200));
  assert.equal((await telegram.bring(update)).status, 200);
  assert.equal((await telegram.messages(lee)).length, 1);
});
