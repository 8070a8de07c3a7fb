import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { type Person, pressUpdate, telegramOf, textUpdate } from '../telegram/person.ts';

const ROUNDS = Number(process.env['FIRSTPROOF_RACE_ROUNDS'] ?? 6);

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp({ tenants: { us: { sessions: { sharing: 'per_user' } } } });
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

let lastId = 820_000_000;
const somebody = (): Person => ({ id: ++lastId, first_name: 'Ada' });

function contactUpdate(person: Person, phone: string) {
  const update = textUpdate(person, 'x');
  const { text: _text, ...message } = update.message;
  return {
    ...update,
    message: { ...message, contact: { phone_number: phone, first_name: 'Ada', user_id: person.id } },
  };
}

for (const [slug, prefix, live] of [
  ['us', '120255502', 1],
  ['uz', '9989011100', 2],
] as const) {
  test(`C7 two chats that prove one phone at once: one account, one current chat, no lost session (${slug})`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const phone = `${prefix}${String(10 + round)}`;
      const people = [somebody(), somebody()];
      await Promise.all(
        people.map((person, index) =>
          telegramOf(index === 0 ? app : replica, slug).bring(contactUpdate(person, phone)),
        ),
      );
      const [row] = await app.databases.of(slug).sql`
        select u.live_sessions, (select count(*)::int from telegram_chats c where c.user_id = u.id) as chats,
          (select count(*)::int from chat_moves m where m.user_id = u.id) as moves,
          (select count(*)::int from sessions s where s.user_id = u.id and s.revoked_at is null) as live
        from identities i join users u on u.id = i.user_id where i.value = ${`+${phone}`}`;
      assert.deepEqual({ ...row }, { live_sessions: live, chats: 1, moves: 1, live });
      for (const person of people) {
        const messages = await telegramOf(app, slug).messages(person);
        const token = messages.map(({ text }) => /fps_[\w-]{80}/.exec(text)?.[0]).find(Boolean);
        assert.equal(
          (await app.get('/api/v1/auth/session', { token })).status,
          200,
          'each holds a live token',
        );
      }
    }
  });
}

test('C7 a code of the chat that took the account and the undo at once: nobody is signed in by it afterwards', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const phone = `9989011200${String(10 + round)}`;
    const [owner, thief] = [somebody(), somebody()];
    await telegramOf(app, 'uz').bring(contactUpdate(owner, phone));
    await telegramOf(app, 'uz').bring(contactUpdate(thief, phone));
    app.clock.advance(61);
    const earlier = await app.newestMessage(String(thief.id));
    const wanted = { phone: `+${phone}`, channel: 'telegram' };
    const sent = await app.post('/api/v1/auth/send-verification', wanted, { from: `198.51.100.${round}` });
    const code = await app.code(String(thief.id), { after: earlier });
    const [move] = await app.databases.of('uz').sql<{ id: string }[]>`
      select id from chat_moves where from_chat_id = ${String(owner.id)}::bigint`;
    const proof = { verification_id: sent.body.verification_id, code };
    const [signedIn] = await Promise.all([
      replica.post('/api/v1/auth/verify-code', proof),
      telegramOf(app, 'uz').bring(pressUpdate(owner, `undo_move:${move?.id}`)),
    ]);
    assert.ok(signedIn.status === 200 || signedIn.status === 404, JSON.stringify(signedIn.body));
    if (signedIn.status !== 200) continue;
    const { status } = await app.get('/api/v1/auth/session', { token: signedIn.body.access_token });
    assert.equal(status, 401, 'signed in a moment before the undo');
  }
});
