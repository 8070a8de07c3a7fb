import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { beginLink, type BrowserLink, buttonOf, confirmLink, LINKS, start } from '../telegram/link.ts';
import { simulateChat } from '../telegram/simulated-chat.ts';

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp({ env: { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '30' } });
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

const DEAD = /does not work/;

async function accountsOf(telegramId: number): Promise<number> {
  const [row] = await app.databases.control.sql<{ count: number }[]>`
    select count(*)::int as count from identities where kind = 'telegram' and value = ${String(telegramId)}`;
  return row?.count ?? -1;
}

async function eventsOf(link: BrowserLink): Promise<string[]> {
  const id = idOf(link);
  const rows = await app.databases.control.sql<{ action: string }[]>`
    select action from audit_events where subject = ${`telegram_link:${id}`} order by id`;
  return rows.map(({ action }) => action.replace('telegram_link.', ''));
}

function idOf({ linkId }: BrowserLink): string {
  const hex = Buffer.from(linkId.slice(4), 'base64url').subarray(16, 32).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

test('S11 a browser begins, the bot asks, and only the browser that began gets the session', async () => {
  const link = await beginLink(app, { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/140.0' } });
  assert.equal(await link.state(), 'waiting');
  assert.equal((await link.complete()).body.error, 'LINK_NOT_CONFIRMED');
  const chat = simulateChat(app);
  const asked = await start(chat, link);
  assert.match(asked.text, /Sign in at .+\?/);
  assert.match(asked.text, /Firefox/);
  assert.match(asked.text, /198\.51\./);
  assert.match(asked.text, /2026.*UTC/);
  assert.equal(asked.buttons.length, 10);
  assert.equal(asked.buttons.filter(({ text }) => /^\d\d$/.test(text)).length, 9);
  assert.equal(await link.state(), 'opened');
  const sure = await chat.press(buttonOf(asked, link.number));
  assert.equal((await link.complete()).body.error, 'LINK_NOT_CONFIRMED');
  const done = await chat.press(buttonOf(sure, 'yes'));
  assert.match(done?.text ?? '', /Go back to the browser/);
  assert.equal(await accountsOf(chat.id), 0, 'a confirmation alone makes nothing');
  assert.equal(await link.state(), 'confirmed');
  const signedIn = await link.complete();
  assert.equal(signedIn.status, 201, JSON.stringify(signedIn.body));
  assert.equal(signedIn.body.user.telegram_user_id, String(chat.id));
  assert.equal(signedIn.body.user.first_name, 'Nora');
  assert.equal(await link.state(), 'completed');
  assert.equal((await link.complete()).status, 404);
  assert.deepEqual(await eventsOf(link), ['started', 'opened', 'matched', 'confirmed']);
  const [row] = await app.databases.control.sql`
    select v.consumed_at is not null as consumed, v.value,
      (select count(*)::int from sessions s where s.user_id = u.id) as sessions,
      (select count(*)::int from audit_events a where a.actor = 'user:' || u.id) as events
    from users u join verifications v on v.tenant_id = u.tenant_id and v.id = u.verification_id
    where u.id = ${signedIn.body.user.id}`;
  assert.deepEqual({ ...row }, { consumed: true, value: String(chat.id), sessions: 1, events: 2 });
});

test('S11 a link that an attacker made: the victim who opens it sees the browser and denies; nothing is left of it', async () => {
  const attackers = await beginLink(app);
  const victim = simulateChat(app);
  const asked = await start(victim, attackers);
  const denied = await victim.press(buttonOf(asked, 'no'));
  assert.match(denied?.text ?? '', /Nobody was signed in/);
  assert.equal(await attackers.state(), 'denied');
  assert.equal((await attackers.complete()).body.error, 'LINK_DENIED');
  assert.equal(await accountsOf(victim.id), 0);
  // Confirmed by mistake it may still be denied, until the browser has come.
  const second = await beginLink(app);
  await confirmLink(app, second, victim);
  await victim.press(`link:no:${idOf(second)}`);
  assert.equal((await second.complete()).body.error, 'LINK_DENIED');
});

test('S11 the victim who does not see the browser and guesses three times has burnt the link', async () => {
  const link = await beginLink(app);
  const chat = simulateChat(app);
  let message = await start(chat, link);
  const seen: string[][] = [];
  const guessed: string[] = [];
  for (let guess = 1; guess <= 3; guess++) {
    const numbers = message.buttons.filter(({ text }) => /^\d\d$/.test(text)).map(({ text }) => text);
    assert.ok(numbers.includes(link.number));
    assert.equal(new Set(numbers).size, 9);
    seen.push(numbers);
    const wrong = numbers.find((number) => number !== link.number && !guessed.includes(number)) ?? '';
    guessed.push(wrong);
    const answer = await chat.press(buttonOf(message, wrong));
    assert.ok(answer);
    message = answer;
    assert.equal(await link.state(), guess < 3 ? 'opened' : 'denied');
  }
  const left = seen
    .reduce((all, numbers) => all.filter((number) => numbers.includes(number)))
    .filter((number) => !guessed.includes(number));
  assert.equal(left.length, 6, 'whoever remembers what was offered before knows the right one no better');
  assert.match(message.text, DEAD);
  await chat.press(`link:number:${idOf(link)}:${link.number}`);
  await chat.press(`link:yes:${idOf(link)}`);
  assert.equal((await link.complete()).body.error, 'LINK_DENIED');
  const events = await eventsOf(link);
  assert.deepEqual(events, ['started', 'opened', 'mismatched', 'mismatched', 'mismatched']);
});

test('a button that is pressed twice, or too late, says how the link stands', async () => {
  const link = await beginLink(app);
  const [chat, stranger] = [simulateChat(app), simulateChat(app)];
  const asked = await start(chat, link);
  const [number, yes, no] = [buttonOf(asked, link.number), `link:yes:${idOf(link)}`, `link:no:${idOf(link)}`];
  assert.match((await chat.press(yes))?.text ?? '', /Which number/, 'the number comes first');
  const sure = await chat.press(number);
  assert.match(sure?.text ?? '', /Is this you/);
  assert.deepEqual(await chat.press(number), sure, 'the number twice');
  for (let press = 0; press < 2; press++) {
    assert.match((await chat.press(yes))?.text ?? '', /^Confirmed\. Go back to the browser/);
  }
  assert.match((await chat.press(number))?.text ?? '', /^Confirmed/);
  for (const data of [number, yes, no]) {
    assert.match((await stranger.press(data))?.text ?? '', DEAD, 'nobody else is told anything');
  }
  assert.equal((await link.complete()).status, 201);
  assert.match(
    (await chat.press(no))?.text ?? '',
    DEAD,
    'denied too late: nobody may believe that it counted',
  );
  const denied = await beginLink(app);
  await start(chat, denied);
  for (let press = 0; press < 2; press++) {
    assert.match((await chat.press(`link:no:${idOf(denied)}`))?.text ?? '', /^Denied\. Nobody was signed in/);
  }
  assert.match((await chat.press(`link:yes:${idOf(denied)}`))?.text ?? '', /^Denied/);
  assert.equal(await denied.state(), 'denied');
  const events = ['started', 'opened', 'matched', 'confirmed'];
  assert.deepEqual(await eventsOf(link), events, 'one event for each step');
});

test('S11 without the right number there is no confirming', async () => {
  const link = await beginLink(app);
  const chat = simulateChat(app);
  await start(chat, link);
  await chat.press(`link:yes:${idOf(link)}`);
  assert.equal(await link.state(), 'opened');
  assert.equal((await link.complete()).body.error, 'LINK_NOT_CONFIRMED');
});

test("S11 a link that a victim made: an attacker who opens it first gets nothing of the victim's, and cannot answer for another", async () => {
  const victims = await beginLink(app);
  const attacker = simulateChat(app);
  const victim = simulateChat(app);
  const asked = await start(attacker, victims);
  // It is the attacker's question now; the victim's Start says no more than of any dead link.
  assert.match((await start(victim, victims)).text, DEAD);
  const sure = await attacker.press(buttonOf(asked, victims.number));
  await victim.press(buttonOf(sure, 'yes'));
  await victim.press(buttonOf(sure, 'no'));
  assert.equal(await victims.state(), 'opened', 'a button of another chat does nothing');
  // What the attacker could reach is the victim signed in as the attacker: the number was never shown to them, and the
  // session that the victim's browser gets is the attacker's own account, never the other way round.
  await attacker.press(buttonOf(sure, 'yes'));
  const { body } = await victims.complete();
  assert.equal(body.user.telegram_user_id, String(attacker.id));
  assert.equal(await accountsOf(victim.id), 0);
});

test('S11 one who opened cannot be replaced: the question and the answers belong to one Telegram account', async () => {
  const link = await beginLink(app);
  const [owner, other] = [simulateChat(app), simulateChat(app)];
  const asked = await start(owner, link);
  await other.press(buttonOf(asked, link.number));
  const sure = await owner.press(buttonOf(asked, link.number));
  await other.press(buttonOf(sure, 'yes'));
  assert.equal(await link.state(), 'opened');
  await owner.press(buttonOf(sure, 'yes'));
  assert.equal((await link.complete()).body.user.telegram_user_id, String(owner.id));
});

test('S11 a bare Start, a payload of 65 characters and a cut one never pick anything up', async () => {
  const link = await beginLink(app);
  const chat = simulateChat(app);
  assert.ok(link.payload.length <= 64 && /^[A-Za-z0-9_-]+$/.test(link.payload));
  assert.ok(Buffer.from(link.payload.slice(2), 'base64url').byteLength >= 16);
  assert.doesNotMatch((await chat.say('/start')).text, /Sign in at/);
  const long = link.payload.padEnd(65, 'A');
  for (const payload of [long, link.payload.slice(0, -1), `${link.payload}A`, 'l_', `x${link.payload}`]) {
    assert.match((await chat.say(`/start ${payload}`)).text, DEAD, payload);
  }
  assert.equal(await link.state(), 'waiting');
  // Neither does the payload stand for the handle, nor the handle for the payload.
  assert.equal((await app.get(`${LINKS}/${link.payload}`)).status, 404);
  assert.match((await chat.say(`/start ${link.linkId.slice(0, 64)}`)).text, DEAD);
});

test('S11 expired, used, denied and unknown links are one answer in Telegram', async () => {
  const [expired, used, denied] = [await beginLink(app), await beginLink(app), await beginLink(app)];
  const owner = await confirmLink(app, used);
  await used.complete();
  const asked = await start(owner, denied);
  await owner.press(buttonOf(asked, 'no'));
  app.clock.advance(301);
  const chat = simulateChat(app);
  const texts = new Set<string>();
  for (const link of [expired, used, denied]) texts.add((await start(chat, link)).text);
  texts.add((await chat.say(`/start l_${'A'.repeat(32)}`)).text);
  texts.add((await start(owner, used)).text);
  assert.equal(texts.size, 1, [...texts].join('\n'));
  assert.equal(await expired.state(), 'expired');
  assert.equal((await expired.complete()).body.error, 'LINK_EXPIRED');
});

test('S11 it lives 300 seconds; confirmed at the last moment, the browser has a minute to come', async () => {
  const late = await beginLink(app);
  app.clock.advance(299);
  const chat = await confirmLink(app, late);
  app.clock.advance(59);
  assert.equal((await late.complete()).body.user.telegram_user_id, String(chat.id));
  const tooLate = await beginLink(app);
  await confirmLink(app, tooLate);
  app.clock.advance(301);
  assert.equal((await tooLate.complete()).body.error, 'LINK_EXPIRED');
});

test('S11 of two chats that open one link at once exactly one has it, on two servers', async () => {
  for (let round = 0; round < 10; round++) {
    const link = await beginLink(app);
    const chats = [simulateChat(app), simulateChat(replica), simulateChat(app), simulateChat(replica)];
    const answers = await Promise.all(chats.map((chat) => start(chat, link)));
    const holders = chats.filter((_, index) => /Sign in at/.test(answers[index]?.text ?? ''));
    assert.equal(holders.length, 1);
    const [row] = await app.databases.control.sql`
      select opened_by::int as opened_by from telegram_links where id = ${idOf(link)}`;
    assert.equal(row?.['opened_by'], holders[0]?.id);
  }
});

test('S11 of twenty completions at once one gets a session', async () => {
  const link = await beginLink(app);
  const chat = await confirmLink(app, link);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? app : replica).post(`${LINKS}/${link.linkId}/complete`, {}),
    ),
  );
  const statuses = answers.map(({ status }) => status).sort((left, right) => left - right);
  assert.deepEqual(statuses, [201, ...Array.from({ length: 19 }, () => 404)]);
  const [row] = await app.databases.control.sql`
    select count(*)::int as sessions from sessions where user_id in
      (select user_id from identities where kind = 'telegram' and value = ${String(chat.id)})`;
  assert.equal(row?.['sessions'], 1);
});

test('S11 a confirmation and a denial at once leave one of the two, and no session after a denial', async () => {
  for (let round = 0; round < 6; round++) {
    const link = await beginLink(app);
    const chat = await confirmLink(app, link);
    const [, completed] = await Promise.all([chat.press(`link:no:${idOf(link)}`), link.complete()]);
    const state = await link.state();
    assert.equal(completed.status === 201, state === 'completed', `${completed.status} and ${state}`);
    assert.ok(state === 'completed' || state === 'denied');
  }
});

test('S11 the handle of another link, another tenant or a changed bit is nothing', async () => {
  const [mine, other] = [await beginLink(app), await beginLink(app)];
  await confirmLink(app, other);
  const spliced = Buffer.from(mine.linkId.slice(4), 'base64url');
  Buffer.from(other.linkId.slice(4), 'base64url').copy(spliced, 16, 16, 32);
  const forged = `fpl_${spliced.toString('base64url')}`;
  assert.equal((await app.post(`${LINKS}/${forged}/complete`, {})).status, 404);
  assert.equal((await app.get(`${LINKS}/${forged}`)).status, 404);
  const elsewhere = await other.complete({ headers: { 'x-tenant': 'us' } });
  assert.equal(elsewhere.status, 404);
  assert.equal((await other.complete()).status, 201);
});

test('S11 neither of the two secrets is at rest or in a log of events', async () => {
  const link = await beginLink(app);
  await confirmLink(app, link);
  const [row] = await app.databases.control.sql<{ text: string }[]>`
    select (select string_agg(l::text, ' ') from telegram_links l) || (select string_agg(a::text, ' ')
      from audit_events a) || coalesce((select string_agg(u::text, ' ') from telegram_updates u), '') as text`;
  const dump = row?.text ?? '';
  assert.ok(dump.length > 1000);
  for (const secret of [link.linkId, link.payload, link.linkId.slice(-20), link.payload.slice(-20)]) {
    const hex = Buffer.from(secret, 'base64url').subarray(3).toString('hex');
    assert.ok(!dump.includes(secret) && !dump.includes(hex));
  }
});

test('S11 one Telegram account opens twenty links an hour, one caller begins thirty', async () => {
  const chat = simulateChat(app);
  for (let opened = 0; opened < 20; opened++) {
    assert.match((await start(chat, await beginLink(app))).text, /Sign in at/);
  }
  assert.match((await start(chat, await beginLink(app))).text, DEAD);
  const from = '203.0.113.77';
  for (let begun = 0; begun < 30; begun++) await beginLink(app, { from });
  const refused = await app.post(LINKS, {}, { from });
  assert.deepEqual([refused.status, refused.body.error], [429, 'RATE_LIMITED']);
});

test('a browser that waits is told when the link moves, on whichever server', async () => {
  const link = await beginLink(app);
  const waiting = replica.get(`${LINKS}/${link.linkId}?wait=20&seen=waiting`);
  const began = performance.now();
  const chat = simulateChat(app);
  // It may ask a moment before or after the step: either way it hears of it.
  await start(chat, link);
  assert.equal((await waiting).body.state, 'opened');
  assert.ok(performance.now() - began < 15_000);
  assert.equal((await app.get(`${LINKS}/${link.linkId}?wait=1&seen=opened`)).body.state, 'opened');
  assert.equal((await app.get(`${LINKS}/${link.linkId}?wait=21`)).status, 400);
});

test('somebody signed in links a Telegram account, once, in their own session only', async () => {
  const mine = (await app.signIn({ email: 'linker@firstproof.test' })).body;
  const theirs = (await app.signIn({ email: 'stranger@firstproof.test' })).body;
  const link = await beginLink(app, { token: mine.access_token });
  const chat = simulateChat(app);
  const asked = await start(chat, link);
  assert.match(asked.text, /Link your Telegram account/);
  const sure = await chat.press(buttonOf(asked, link.number));
  assert.match(sure?.text ?? '', /sign in to the account that is open there/, 'what a Confirm leads to');
  await chat.press(buttonOf(sure, 'yes'));
  assert.equal((await link.complete()).status, 401);
  assert.equal((await link.complete({ token: theirs.access_token })).status, 401);
  const linked = await link.complete({ token: mine.access_token });
  assert.equal(linked.status, 200, JSON.stringify(linked.body));
  assert.equal(linked.body.user.telegram_user_id, String(chat.id));
  assert.equal(linked.body.user.id, mine.user.id);
  assert.equal(linked.body.access_token, undefined);
  // From then on it signs in to that account.
  const later = await beginLink(app);
  await confirmLink(app, later, chat);
  const signedIn = await later.complete();
  assert.deepEqual([signedIn.status, signedIn.body.user.id], [200, mine.user.id]);
  // And it is nobody else's to link.
  const again = await beginLink(app, { token: theirs.access_token });
  await confirmLink(app, again, chat);
  const taken = await again.complete({ token: theirs.access_token });
  assert.deepEqual([taken.status, taken.body.error], [409, 'ALREADY_REGISTERED']);
});

test('S32 a token alone, five minutes after the last proof, begins no linking', async () => {
  const { body } = await app.signIn({ email: 'stale@firstproof.test' });
  app.clock.advance(301);
  const refused = await app.post(LINKS, {}, { token: body.access_token });
  assert.deepEqual([refused.status, refused.body.error], [403, 'STEP_UP_REQUIRED']);
});

test('a closed account gets no session, and a closed registration no account', async () => {
  const link = await beginLink(app);
  const chat = await confirmLink(app, link);
  const { body } = await link.complete();
  await app.databases.control.sql`update users set is_disabled = true where id = ${body.user.id}`;
  const again = await beginLink(app);
  await confirmLink(app, again, chat);
  assert.equal((await again.complete()).body.error, 'ACCOUNT_DISABLED');
});
