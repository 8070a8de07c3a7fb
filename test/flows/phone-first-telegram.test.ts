import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
let headers: Record<string, string>;
before(async () => {
  app = await createTestApp({ tenants: { default: { sessions: { sharing: 'per_user' } } } });
  const tenantId = app.app.tenants.bySlug('default')?.id ?? null;
  const shared = await app.app.apiKeys.create({ tenantId, name: 'bot', scopes: ['service'] });
  headers = { 'x-api-key': shared.text };
});
after(() => app.close());

/** A tenant that shares one token, and one whose devices have their own. The test of both tells them apart. */
const PLACES = [
  { slug: 'default', sharing: 'per_user', phone: '+989354328338', database: null },
  { slug: 'us', sharing: 'per_device', phone: '+14155552671', database: 'us' },
] as const;

const CHAT_1 = '1056809488';
const CHAT_2 = '9876543210';
let spare = 7_000_000_000;
const newChat = () => String(++spare);

const path = (chat: string, call: string) => `/api/v1/telegram/chats/${chat}/${call}`;
const withKey = (slug: string) => ({ headers: { 'x-api-key': app.apiKey, 'x-tenant': slug } });
const alive = async (token: string) => (await app.get('/api/v1/auth/session', { token })).status === 200;
const authorization = async (slug: string, chat: string) =>
  (await app.get(path(chat, 'authorization'), withKey(slug))).body;
const phoneAuthorization = async (slug: string, phone: string) =>
  (await app.get(`/api/v1/phones/${encodeURIComponent(phone)}/authorization`, withKey(slug))).body;

/** Types the number in a chat, reads the code on the phone, types it in the chat. */
async function prove(slug: string, chat: string, phone: string) {
  app.clock.advance(61);
  const before = await app.newestMessage(phone);
  const sent = await app.post(path(chat, 'send-code'), { phone }, withKey(slug));
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const code = await app.code(phone, { after: before });
  return app.post(path(chat, 'verify'), { code }, withKey(slug));
}

async function rows(database: string | null, phone: string) {
  const { sql } = app.databases.of(database);
  const [row] = await sql`
    select u.id, u.is_active, u.live_sessions,
      (select count(*)::int from verifications v where v.value = ${phone} and v.consumed_at is not null) as proofs,
      (select array_agg(c.chat_id::text) from telegram_chats c where c.user_id = u.id) as chats,
      (select count(*)::int from chat_moves m where m.user_id = u.id) as moves,
      (select array_agg(distinct d.telegram_chat_id::text order by d.telegram_chat_id::text) from devices d
        where d.user_id = u.id) as devices,
      (select count(*)::int from users) as users
    from users u join identities i on i.user_id = u.id where i.value = ${phone}`;
  return { ...row };
}

for (const { slug, sharing, phone, database } of PLACES) {
  test(`flow C, ${sharing}: first login, another chat, back again`, async () => {
    assert.deepEqual((await phoneAuthorization(slug, phone)).authorized, false);
    assert.deepEqual((await authorization(slug, CHAT_1)).authorized, false);

    // Scenario 1: first time.
    const first = await prove(slug, CHAT_1, phone);
    assert.equal(first.status, 201, JSON.stringify(first.body));
    assert.match(first.body.session_token, /^fps_/);
    assert.deepEqual(first.body.chat, { chat_id: CHAT_1, moved_from: null, move_id: null });
    const { id } = first.body.user;
    assert.deepEqual(await rows(database, phone), {
      id,
      is_active: true,
      live_sessions: 1,
      proofs: 1,
      chats: [CHAT_1],
      moves: 0,
      devices: [CHAT_1],
      users: 1,
    });
    const known = await authorization(slug, CHAT_1);
    assert.equal(known.authorized, true);
    assert.equal(known.phone, phone);
    assert.equal(known.access_token, first.body.access_token, 'derived again, stored nowhere');
    assert.equal((await phoneAuthorization(slug, phone)).authorized, true);
    assert.equal((await phoneAuthorization(slug, phone)).access_token, undefined);

    // Scenario 2: the same number from another chat.
    const second = await prove(slug, CHAT_2, phone);
    assert.equal(second.status, 200, JSON.stringify(second.body));
    assert.equal(second.body.user.id, id);
    assert.equal(second.body.chat.moved_from, CHAT_1);
    const same = sharing === 'per_user';
    assert.equal(second.body.access_token === first.body.access_token, same);
    assert.equal(await alive(first.body.access_token), true);
    assert.equal(await alive(second.body.access_token), true);
    assert.deepEqual(await rows(database, phone), {
      id,
      is_active: true,
      live_sessions: same ? 1 : 2,
      proofs: 2,
      chats: [CHAT_2],
      moves: 1,
      devices: [CHAT_1, CHAT_2].sort(),
      users: 1,
    });
    assert.equal((await authorization(slug, CHAT_1)).authorized, false, 'the chat has moved on');
    assert.equal((await authorization(slug, CHAT_1)).access_token, undefined);
    const moved = await authorization(slug, CHAT_2);
    assert.equal(moved.authorized, true);
    assert.equal(moved.moved_at, app.clock.now().toISOString());
    assert.equal(moved.held_until, new Date(app.clock.now().getTime() + 86_400_000).toISOString());
    const [told] = (await app.get(`/dev/messages?to=${CHAT_1}`)).body;
    assert.match(told.text, /moved to another Telegram chat/);
    assert.equal(told.code, null);
    assert.equal(told.buttons[0][0].callback_data, `undo_move:${second.body.chat.move_id}`);

    // Scenario 3: back to the first one.
    const third = await prove(slug, CHAT_1, phone);
    assert.equal(third.body.user.id, id);
    assert.equal(third.body.chat.moved_from, CHAT_2);
    assert.equal(third.body.access_token, first.body.access_token, 'a chat keeps the session that it has');
    const back = await rows(database, phone);
    assert.deepEqual(back['chats'], [CHAT_1]);
    assert.equal(back['live_sessions'], same ? 1 : 2);
    assert.equal((await authorization(slug, CHAT_1)).authorized, true);
    assert.equal((await authorization(slug, CHAT_2)).authorized, false);
    const events = await app.databases.of(database).sql`
      select action, count(*)::int as count from audit_events where actor = ${`user:${id}`}
        and action like 'chat.%' group by 1 order by 1`;
    assert.deepEqual(
      events.map((row) => [row['action'], row['count']]),
      [
        ['chat.linked', 1],
        ['chat.moved', 2],
      ],
    );

    // Invalidated: every device of the phone.
    const ended = await app.request('DELETE', path(CHAT_1, 'authorization'), undefined, withKey(slug));
    assert.equal(ended.status, 200);
    for (const { body } of [first, second, third]) assert.equal(await alive(body.access_token), false);
    assert.equal((await phoneAuthorization(slug, phone)).authorized, false);
    const last = await authorization(slug, CHAT_1);
    assert.equal(last.authorized, false);
    assert.equal(last.phone, phone, "the chat is still the account's");
    assert.equal((await rows(database, phone))['is_active'], false);
    const again = await prove(slug, CHAT_1, phone);
    assert.notEqual(again.body.access_token, first.body.access_token);
    assert.equal(again.body.chat.moved_from, null);
  });

  test(`a move is undone by the chat that lost the account, once, ${sharing}`, async () => {
    const [owner, thief, further] = [newChat(), newChat(), newChat()];
    const number = slug === 'us' ? '+14155552672' : '+989354328339';
    const first = (await prove(slug, owner, number)).body;
    const stolen = (await prove(slug, thief, number)).body;
    const moved = (await prove(slug, further, number)).body;
    const move = { move_id: stolen.chat.move_id };
    for (const [chat, what] of [
      [thief, 'the chat that took it'],
      [further, 'a third chat'],
      [newChat(), 'a stranger'],
    ] as const) {
      assert.equal((await app.post(path(chat, 'undo-move'), move, withKey(slug))).status, 404, what);
    }
    const odd = await app.post(path(owner, 'undo-move'), { move_id: 'x' }, withKey(slug));
    assert.equal(odd.status, 404);
    const undone = await app.post(path(owner, 'undo-move'), move, withKey(slug));
    assert.equal(undone.status, 200, JSON.stringify(undone.body));
    for (const { access_token: token } of [stolen, moved]) assert.equal(await alive(token), false);
    assert.equal(await alive(first.access_token), sharing === 'per_device');
    assert.deepEqual((await rows(database, number))['chats'], [owner]);
    assert.equal((await authorization(slug, further)).authorized, false);
    assert.equal((await authorization(slug, owner)).moved_at, null, 'nothing is held any more');
    assert.equal((await app.post(path(owner, 'undo-move'), move, withKey(slug))).status, 404, 'once');
    const later = { move_id: moved.chat.move_id };
    assert.equal(
      (await app.post(path(thief, 'undo-move'), later, withKey(slug))).status,
      404,
      'gone with it',
    );

    const next = (await prove(slug, thief, number)).body;
    app.clock.advance(72 * 3600 + 1);
    const late = await app.post(path(owner, 'undo-move'), { move_id: next.chat.move_id }, withKey(slug));
    assert.equal(late.status, 404, 'after three days');
  });
}

test('C6 a code is worth something only in the chat that asked for it', async () => {
  const phone = '+14155552680';
  const [mine, other] = [newChat(), newChat()];
  const sent = await app.post(path(mine, 'send-code'), { phone }, withKey('us'));
  const code = await app.code(phone);
  const stranger = await app.post(path(other, 'verify'), { code }, withKey('us'));
  assert.equal(stranger.body.error, 'VERIFICATION_NOT_FOUND');
  // A number typed on a site belongs to that browser: no chat picks it up.
  const web = '+14155552681';
  await app.post('/api/v1/auth/send-verification', { phone: web });
  const picked = await app.post(path(other, 'verify'), { code: await app.code(web) }, withKey('us'));
  assert.equal(picked.body.error, 'VERIFICATION_NOT_FOUND');
  assert.equal((await authorization('us', other)).authorized, false);
  const wrong = await app.post(
    path(mine, 'verify'),
    { code: code === '111111' ? '222222' : '111111' },
    withKey('us'),
  );
  assert.equal(wrong.body.error, 'INVALID_CODE');
  assert.equal(wrong.body.attempts_left, 4);
  assert.equal((await app.post(path(mine, 'verify'), { code }, withKey('us'))).status, 201);
  const used = await app.post(path(mine, 'verify'), { code }, withKey('us'));
  assert.equal(used.body.error, 'VERIFICATION_NOT_FOUND');
  assert.equal(sent.body.code_length, 6);
});

test('a sign-in on the web and one in a chat are one account, and no chat is linked by the web', async () => {
  const phone = '+14155552690';
  const chat = newChat();
  const web = (await app.signIn({ phone })).body;
  assert.equal((await phoneAuthorization('us', phone)).authorized, true);
  assert.equal((await authorization('us', chat)).authorized, false);
  const proved = (await prove('us', chat, phone)).body;
  assert.equal(proved.user.id, web.user.id);
  const { devices } = (await app.get('/api/v1/auth/devices', { token: web.access_token })).body;
  assert.deepEqual(devices.map((device: { kind: string }) => device.kind).sort(), ['app', 'telegram']);
  const shown = devices.find((device: { kind: string }) => device.kind === 'telegram');
  await app.request('DELETE', `/api/v1/auth/devices/${shown.id}`, undefined, { token: web.access_token });
  assert.equal((await authorization('us', chat)).authorized, false);
  assert.equal(await alive(web.access_token), true, 'each device has its own');
});

test('groups, odd ids and closed accounts are refused with a sentence', async () => {
  for (const chat of ['-1001234567890', '0', 'me', '1'.repeat(30)]) {
    const answer = await app.get(path(chat, 'authorization'), withKey('us'));
    assert.equal(answer.status, 400, chat);
    assert.equal(answer.body.issues[0].path, 'chat_id');
  }
  const phone = '+14155552691';
  const chat = newChat();
  const { user } = (await prove('us', chat, phone)).body;
  await app.databases.of('us').sql`update users set is_disabled = true where id = ${user.id}`;
  assert.equal((await authorization('us', chat)).authorized, false);
  assert.equal((await phoneAuthorization('us', phone)).authorized, false);
  assert.equal((await prove('us', chat, phone)).body.error, 'ACCOUNT_DISABLED');
});

test('S15 a key acts for its own tenant only, and without the scope for none', async () => {
  const chat = newChat();
  const phone = '+989354328340';
  assert.equal((await prove('default', chat, phone)).status, 201);
  const of = async (slug: string, scopes: ('service' | 'introspect')[]) => {
    const tenantId = app.app.tenants.bySlug(slug)?.id ?? null;
    return (await app.app.apiKeys.create({ tenantId, name: slug, scopes })).text;
  };
  const foreign = { 'x-api-key': await of('us', ['service']) };
  const weak = { 'x-api-key': await of('default', ['introspect']) };
  const calls = [
    ['GET', path(chat, 'authorization'), undefined],
    ['DELETE', path(chat, 'authorization'), undefined],
    ['POST', path(chat, 'send-code'), { phone }],
    ['POST', path(chat, 'verify'), { code: '123456' }],
    ['POST', path(chat, 'undo-move'), { move_id: '018f3c1e-0000-7000-8000-000000000000' }],
    ['GET', `/api/v1/phones/${encodeURIComponent(phone)}/authorization`, undefined],
  ] as const;
  for (const [method, url, body] of calls) {
    const named = await app.request(method, url, body, { headers: { ...foreign, 'x-tenant': 'default' } });
    assert.equal(named.body.error, 'TENANT_NOT_FOUND', `${method} ${url}`);
    const scope = await app.request(method, url, body, { headers: weak });
    assert.equal(scope.body.error, 'SCOPE_REQUIRED', `${method} ${url}`);
    const none = await app.request(method, url, body);
    assert.equal(none.body.error, 'API_KEY_INVALID', `${method} ${url}`);
  }
  const unseen = await app.get(path(chat, 'authorization'), { headers: foreign });
  assert.equal(unseen.body.authorized, false);
  assert.equal(unseen.body.user, null);
  assert.equal((await app.get(path(chat, 'authorization'), { headers })).body.authorized, true);
});
