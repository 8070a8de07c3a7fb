import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';
import { beginLink, confirmLink } from '../telegram/link.ts';
import { type Flow, keepsNothing, leavesNoWriteOut } from './failpoints.ts';

const AUTH = '/api/v1/auth';
const PASSWORD = 'violet harbour 19 mandolin';
const NEW_PASSWORD = 'amber orchard 52 trombone';

let app: TestApp;
before(async () => {
  app = await createTestApp({
    env: {
      FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000',
    },
  });
});
after(() => app.close());

interface Proof {
  verification_id: string;
  code: string;
}

/** Asks for a code and reads it. */
async function sendCode(to: string, path: string, body: unknown, token?: string): Promise<Proof> {
  const earlier = await app.newestMessage(to);
  const sent = await app.post(AUTH + path, body, { token, from: newCaller() });
  assert.ok(sent.status === 200 || sent.status === 202, JSON.stringify(sent.body));
  return { verification_id: sent.body.verification_id, code: await app.code(to, { after: earlier }) };
}

/** Somebody with a password and a fresh proof. */
async function newPerson(email: string): Promise<{ token: string; identityId: string }> {
  const { body } = await app.signIn({ email }, {}, { from: newCaller() });
  const token = body.access_token as string;
  const set = await app.post(`${AUTH}/change-password`, { new_password: PASSWORD }, { token });
  assert.equal(set.status, 200, JSON.stringify(set.body));
  return { token, identityId: body.user.identities[0].id };
}

/** The link of the newest notice that an address got. */
async function newestLink(email: string): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    await app.app.worker.dispatch();
    const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(email)}&limit=10`);
    const link = (body as { text: string }[])
      .map(({ text }) => /\/not-me\/[\w-]+/.exec(text)?.[0])
      .find(Boolean);
    if (link) return link;
  }
  throw new Error(`no notice reached ${email}`);
}

/** By a program that the account does not know. */
const logIn = (email: string) =>
  app.post(
    `${AUTH}/login`,
    { email, password: PASSWORD },
    { from: newCaller(), headers: { 'user-agent': 'Another/1.0' } },
  );

let lastChat = 7_100_000_000;
let lastRange = 110;
const inChat = (chat: string, call: string, body: unknown) =>
  app.post(`/api/v1/telegram/chats/${chat}/${call}`, body, {
    headers: { 'x-api-key': app.apiKey, 'x-tenant': 'default' },
    from: newCaller(),
  });

/** A code that a chat waits for. */
async function codeInChat(chat: string, phone: string): Promise<string> {
  app.clock.advance(61);
  const earlier = await app.newestMessage(phone);
  const sent = await inChat(chat, 'send-code', { phone });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  return app.code(phone, { after: earlier });
}

/** A phone whose account has moved from one chat to another. */
async function movedChat(): Promise<{ phone: string; first: string; second: string; moveId: string }> {
  // Each in a range of its own: codes that nobody types would close one.
  const phone = `+99890${String(++lastRange)}4567`;
  const [first, second] = [String(++lastChat), String(++lastChat)];
  await inChat(first, 'verify', { code: await codeInChat(first, phone) });
  const { body } = await inChat(second, 'verify', { code: await codeInChat(second, phone) });
  return { phone, first, second, moveId: body.chat.move_id };
}

const FLOWS: Record<string, Flow> = {
  'a registration': {
    prepare: async (email) => () =>
      app.post(`${AUTH}/register`, { email, password: PASSWORD }, { from: newCaller() }),
    good: 202,
    writes: ['pending_registrations', 'address_budgets', 'verifications', 'messages', 'audit_events'],
  },
  'a sign-in by password': {
    async prepare(email) {
      await newPerson(email);
      return () => logIn(email);
    },
    good: 200,
    writes: ['users', 'devices', 'sessions', 'audit_events', 'notices'],
  },
  'a forgotten password': {
    async prepare(email) {
      await newPerson(email);
      app.clock.advance(61);
      const proof = await sendCode(email, '/forgot-password', { email });
      const { reset_token: token } = (await app.post(`${AUTH}/verify-code`, proof)).body;
      return () => app.post(`${AUTH}/reset-password`, { new_password: NEW_PASSWORD }, { token });
    },
    good: 200,
    writes: [
      ...['verifications', 'users', 'identities', 'sessions', 'devices', 'notices'],
      ...[
        `audit_events where new.action = 'user.signed_in'`,
        `audit_events where new.action = 'password.changed'`,
        `audit_events where new.action = 'session.ended'`,
      ],
    ],
  },
  'a new password': {
    async prepare(email) {
      const { token } = await newPerson(email);
      await logIn(email);
      return () => app.post(`${AUTH}/change-password`, { new_password: NEW_PASSWORD }, { token });
    },
    good: 200,
    writes: [
      ...['users', 'sessions', 'notices'],
      ...[
        `audit_events where new.action = 'password.changed'`,
        `audit_events where new.action = 'session.ended'`,
      ],
    ],
  },
  'another address in the place of one': {
    async prepare(email) {
      const { token, identityId } = await newPerson(email);
      const other = `other-${email}`;
      const proof = await sendCode(other, '/identities', { email: other, replaces: identityId }, token);
      return () => app.post(`${AUTH}/verify-code`, proof, { token });
    },
    good: 200,
    writes: ['verifications', 'identities', 'notices', 'audit_events'],
  },
  'an address that is taken away': {
    async prepare(email) {
      const { token, identityId } = await newPerson(email);
      const other = `other-${email}`;
      const proof = await sendCode(other, '/identities', { email: other }, token);
      assert.equal((await app.post(`${AUTH}/verify-code`, proof, { token })).status, 200);
      return () => app.request('DELETE', `${AUTH}/identities/${identityId}`, undefined, { token });
    },
    good: 200,
    writes: ['notices', 'audit_events'],
  },
  '"this was not me"': {
    async prepare(email) {
      await newPerson(email);
      await logIn(email);
      const link = await newestLink(email);
      return async () => {
        const answer = await fetch(app.url + link, { method: 'POST' });
        return { status: answer.status, body: await answer.text() };
      };
    },
    good: 200,
    writes: [
      ...['notices', 'sessions', 'devices', 'users'],
      ...[
        `audit_events where new.action = 'notice.disputed'`,
        `audit_events where new.action = 'session.ended'`,
      ],
    ],
  },
  'a session that is proved again': {
    async prepare(email) {
      const { token } = await newPerson(email);
      app.clock.advance(61);
      const proof = await sendCode(email, '/step-up', {}, token);
      return () => app.post(`${AUTH}/verify-code`, proof, { token });
    },
    good: 200,
    writes: ['verifications', 'sessions', 'audit_events'],
  },
  'a link that was confirmed in Telegram': {
    async prepare() {
      const link = await beginLink(app);
      await confirmLink(app, link);
      return () => link.complete();
    },
    good: 201,
    writes: [
      ...['telegram_links', 'verifications', 'identities', 'users', 'devices', 'sessions'],
      ...[
        `audit_events where new.action = 'user.created'`,
        `audit_events where new.action = 'user.signed_in'`,
      ],
    ],
  },
  'an account that moves to another chat': {
    async prepare() {
      const { phone } = await movedChat();
      const third = String(++lastChat);
      const code = await codeInChat(third, phone);
      return () => inChat(third, 'verify', { code });
    },
    good: 200,
    writes: [
      ...['verifications', 'identities', 'users', 'devices', 'sessions', 'telegram_chats', 'chat_moves'],
      ...['messages', `audit_events where new.action = 'chat.moved'`],
    ],
  },
  'a move that is undone': {
    async prepare() {
      const { first, moveId } = await movedChat();
      return () => inChat(first, 'undo-move', { move_id: moveId });
    },
    good: 200,
    writes: [
      ...['chat_moves', 'telegram_chats', 'verifications', 'devices', 'sessions', 'users'],
      ...[`audit_events where new.action = 'chat.move_undone'`],
    ],
  },
};

for (const [name, flow] of Object.entries(FLOWS)) {
  test(`R08 ${name}: no write is left out here`, () => leavesNoWriteOut(app, flow));

  test(`R08 ${name}: whichever write fails, nothing of it is kept, and the next try succeeds`, () =>
    keepsNothing(app, flow));
}
