import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createSigner, freshFields, signInitData, signWidget, vectors } from '../telegram/signed-data.ts';

const PATH = '/api/v1/auth/telegram/init-data';
const THIRD_PARTY = '7000000777';
const telegram = createSigner();

let app: TestApp;
before(async () => {
  app = await createTestApp({
    start: new Date(vectors.signed_at),
    env: { TELEGRAM_BOT_TOKEN: vectors.token, TELEGRAM_API_ROOT: 'http://127.0.0.1:9' },
    tenants: { default: { telegram_sign_in: { bot_ids: [THIRD_PARTY, '7000000001'] } } },
    telegramPublicKey: telegram.publicKey,
  });
});
after(() => app.close());

const now = (): Date => app.clock.now();
const send = (init_data: string, options = {}) => app.post(PATH, { init_data }, options);

async function refused(init_data: string): Promise<void> {
  const answer = await send(init_data);
  assert.deepEqual([answer.status, answer.body.error], [401, 'TELEGRAM_DATA_INVALID'], init_data);
}

test('S41 data that other libraries signed signs in its person, with the names that Telegram told', async () => {
  for (const vector of vectors.init_data) {
    const { status, body } = await send(vector.data);
    assert.equal(status, 201, JSON.stringify(body));
    const { telegram_user_id, first_name, last_name, username, phone } = body.user;
    assert.deepEqual(
      { telegram_user_id, first_name, last_name, username, phone },
      {
        telegram_user_id: vector.id,
        first_name: vector.first_name,
        last_name: vector.last_name,
        username: vector.username,
        phone: null,
      },
    );
    const me = await app.get('/api/v1/auth/me', { token: body.access_token });
    assert.equal(me.body.user.id, body.user.id);
  }
  const widget = await app.post(PATH, { widget: vectors.widget });
  assert.equal(widget.status, 201);
  assert.equal(widget.body.user.telegram_user_id, String(vectors.widget.id));
});

test('S41 one consumed verification made the account, and each event has one row', async () => {
  const headers = { 'accept-language': 'uz' };
  const { body } = await send(signInitData(vectors.token, freshFields(now())), { headers });
  const [row] = await app.databases.control.sql`
    select v.consumed_at is not null as consumed, v.kind, v.value, v.channel, v.purpose, v.locale, u.locale as language,
      (select count(*)::int from audit_events where action = 'user.created' and subject = 'user:' || u.id) as created,
      (select count(*)::int from audit_events where action = 'user.signed_in' and actor = 'user:' || u.id) as signed_in,
      (select count(*)::int from sessions s where s.user_id = u.id) as sessions
    from users u join verifications v on v.tenant_id = u.tenant_id and v.id = u.verification_id
    where u.id = ${body.user.id}`;
  assert.deepEqual(
    { ...row },
    {
      consumed: true,
      kind: 'telegram',
      value: body.user.telegram_user_id,
      channel: 'telegram',
      purpose: 'sign_in',
      locale: 'uz',
      language: 'uz',
      created: 1,
      signed_in: 1,
      sessions: 1,
    },
  );
});

test('S41 somebody who comes again is the same account', async () => {
  const fields = freshFields(now());
  const first = await send(signInitData(vectors.token, fields));
  const again = await send(signInitData(vectors.token, { ...fields, query_id: 'another' }));
  assert.deepEqual([first.status, again.status], [201, 200]);
  assert.equal(again.body.user.id, first.body.user.id);
});

test('S41 any flipped character, any other key and any other order of trust is refused', async () => {
  const fields = freshFields(now());
  const good = signInitData(vectors.token, fields);
  const changed = new URLSearchParams(good);
  changed.set('user', (fields['user'] ?? '').replace('Mia', 'Eve'));
  await refused(changed.toString());
  await refused(good.replace(/.$/, (last) => (last === '0' ? '1' : '0')));
  await refused(good.replace(/hash=.*/, 'hash='));
  await refused(good.replace(/&?hash=[0-9a-f]*/, ''));
  await refused(signInitData(vectors.other_token, fields));
  assert.equal((await send(good)).status, 201, 'none of them has used it up');
});

test('S41 the keys of Mini App and widget are never mixed', async () => {
  const user = { id: 920_000_001, first_name: 'Mix' };
  const auth_date = Math.floor(now().getTime() / 1000);
  const widget = signWidget(vectors.token, { ...user, auth_date });
  await refused(
    new URLSearchParams(
      signWidget(vectors.token, { user: JSON.stringify(user), auth_date }) as Record<string, string>,
    ).toString(),
  );
  const asMiniApp = signInitData(vectors.token, {
    id: String(user.id),
    first_name: 'Mix',
    auth_date: String(auth_date),
  });
  const hash = new URLSearchParams(asMiniApp).get('hash');
  const crossed = await app.post(PATH, { widget: { ...user, auth_date, hash } });
  assert.equal(crossed.body.error, 'TELEGRAM_DATA_INVALID');
  assert.equal((await app.post(PATH, { widget })).status, 201);
});

test('S41 it is good for 300 seconds, and not before its time', async () => {
  const aged = (seconds: number): string =>
    signInitData(vectors.token, freshFields(new Date(now().getTime() - seconds * 1000)));
  assert.equal((await send(aged(300))).status, 201);
  await refused(aged(301));
  await refused(aged(86_400));
  assert.equal((await send(aged(-30))).status, 201);
  await refused(aged(-31));
});

test('S41 it works once, however it is written, and of twenty at once one signs in', async () => {
  const fields = freshFields(now(), { query_id: 'q', start_param: 'a b' });
  const data = signInitData(vectors.token, fields);
  const reordered = new URLSearchParams([...new URLSearchParams(data)].toReversed()).toString();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      send(index % 2 === 0 ? data : reordered.replace('a+b', 'a%20b')),
    ),
  );
  const outcomes = answers.map(({ status }) => status).sort((left, right) => left - right);
  assert.deepEqual(outcomes, [201, ...Array.from({ length: 19 }, () => 401)]);
  await refused(data.replace(/hash=([0-9a-f]+)/, (_, hash: string) => `hash=${hash.toUpperCase()}`));
  app.clock.advance(301);
  await refused(data);
});

test('S41 a field given twice is refused, whichever of the two was signed', async () => {
  const fields = freshFields(now());
  const data = signInitData(vectors.token, fields);
  const twin = encodeURIComponent((fields['user'] ?? '').replace('Mia', 'Eve'));
  await refused(`${data}&user=${twin}`);
  await refused(`user=${twin}&${data}`);
  await refused(`${data}&hash=${'0'.repeat(64)}`);
});

test("S41 a third party's bot is believed by Telegram's signature, if the tenant names it", async () => {
  assert.equal((await send(telegram.sign(THIRD_PARTY, freshFields(now())))).status, 201);
  await refused(telegram.sign('7000000778', freshFields(now())));
  await refused(createSigner().sign(THIRD_PARTY, freshFields(now())));
  const fields = freshFields(now());
  const signed = new URLSearchParams(telegram.sign(THIRD_PARTY, fields));
  signed.set('user', (fields['user'] ?? '').replace('Mia', 'Eve'));
  await refused(signed.toString());
  // The own bot is named above as well, and still only its token speaks for it.
  await refused(telegram.sign('7000000001', freshFields(now())));
  const twice = telegram.sign(THIRD_PARTY, freshFields(now()));
  assert.equal((await send(twice)).status, 201);
  await refused(twice);
  await refused(twice.replace(/hash=0+/, `hash=${'1'.repeat(64)}`));
});

test('S41 data for one tenant is worth nothing at another', async () => {
  const data = signInitData(vectors.token, freshFields(now()));
  const elsewhere = await send(data, { headers: { 'x-tenant': 'us' } });
  assert.ok(elsewhere.status >= 400, JSON.stringify(elsewhere.body));
  assert.equal((await send(data)).status, 201);
});

test('S41 odd data is refused, never a fault', async () => {
  const odd = ['x', 'hash=&user=', 'user=%7B%7D&hash=aa', `${'a'.repeat(8000)}`, '%', 'hash=%00', '&&&=&'];
  for (const data of odd) assert.ok([400, 401].includes((await send(data)).status), data);
  const bot = JSON.stringify({ id: 930_000_001, is_bot: true, first_name: 'B' });
  await refused(signInitData(vectors.token, freshFields(now(), { user: bot })));
  await refused(signInitData(vectors.token, freshFields(now(), { user: '[1]' })));
  await refused(signInitData(vectors.token, freshFields(now(), { auth_date: '1e9' })));
  const both = await app.post(PATH, { init_data: 'x', widget: vectors.widget });
  assert.equal(both.status, 400);
});

test('S41 what was used is forgotten once its age alone refuses it', async () => {
  await send(signInitData(vectors.token, freshFields(now())));
  const count = async (): Promise<number> => {
    const [row] = await app.databases.control.sql<{ count: number }[]>`
      select count(*)::int as count from telegram_login_data`;
    return row?.count ?? -1;
  };
  await app.app.worker.sweep();
  assert.ok((await count()) > 0);
  app.clock.advance(400);
  await app.app.worker.sweep();
  assert.equal(await count(), 0);
});
