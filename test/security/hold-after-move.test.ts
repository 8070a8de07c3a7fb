import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PhoneAuth } from '../../sdk/src/phone-auth.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createVisitor, type Got } from './visitor.ts';

let app: TestApp;
let auth: PhoneAuth;
before(async () => {
  app = await createTestApp();
  const tenantId = app.app.tenants.bySlug('us')?.id ?? null;
  const { text: apiKey } = await app.app.apiKeys.create({ tenantId, name: 'bot', scopes: ['service'] });
  auth = new PhoneAuth({ baseUrl: app.url, apiKey });
});
after(() => app.close());

/** Proves the number in a chat; gives the token that the chat then holds. */
async function proveIn(chatId: string, phone: string): Promise<string> {
  app.clock.advance(61);
  const earlier = await app.newestMessage(phone);
  await auth.sendOtp(chatId, phone);
  await auth.signIn(chatId, await app.code(phone, { after: earlier }));
  return auth.authOf(chatId)?.access_token ?? '';
}

let emails = 0;
const addEmail = (token: string) =>
  app.post('/api/v1/auth/identities', { email: `moved-${++emails}@example.com` }, { token });

test('C7 for a day after a move the new chat changes no address and no password; who was there before does', async () => {
  const phone = '+14155556101';
  const owner = await proveIn('971001', phone);
  const thief = await proveIn('971002', phone);
  const held = await addEmail(thief);
  assert.deepEqual(
    [held.status, held.body.error, held.body.next_action, held.body.ways],
    [403, 'STEP_UP_REQUIRED', 'WAIT', []],
  );
  assert.equal(held.body.retry_after, 86_400);
  const password = { new_password: 'violet harbour 19 mandolin' };
  assert.equal((await app.post('/api/v1/auth/change-password', password, { token: thief })).status, 403);
  assert.equal((await addEmail(owner)).status, 200, 'the session from before the move');
  app.clock.advance(86_400);
  const later = await proveIn('971002', phone);
  assert.equal((await addEmail(later)).status, 200);
});

const PASSWORD = 'violet harbour 19 mandolin';

/** A code for the number that comes to the chat which the account has now, through the bot of the tenant. */
async function codeInChat(chatId: string, call: string, phone: string) {
  app.clock.advance(61);
  const earlier = await app.newestMessage(chatId);
  const sent = await app.post(`/api/v1/auth/${call}`, { phone, channel: 'telegram' });
  assert.equal(sent.body.channel, 'telegram', JSON.stringify(sent.body));
  return { verification_id: sent.body.verification_id, code: await app.code(chatId, { after: earlier }) };
}

test('C7 a forgotten password is not renewed by the number for a day after a move; the mailbox still does it', async () => {
  const phone = '+14155556103';
  const owner = await proveIn('973001', phone);
  const email = 'owner-973001@example.com';
  const begun = await app.post('/api/v1/auth/identities', { email }, { token: owner });
  const code = await app.code(email);
  await app.post(
    '/api/v1/auth/verify-code',
    { verification_id: begun.body.verification_id, code },
    { token: owner },
  );
  const set = await app.post('/api/v1/auth/change-password', { new_password: PASSWORD }, { token: owner });
  assert.equal(set.status, 200, JSON.stringify(set.body));
  await proveIn('973002', phone);
  const recover = async (proof: object) =>
    (await app.post('/api/v1/auth/verify-code', proof)).body.reset_token as string;
  const reset = (token: string) =>
    app.post('/api/v1/auth/reset-password', { new_password: `${PASSWORD} two` }, { token });
  const held = await reset(await recover(await codeInChat('973002', 'forgot-password', phone)));
  assert.deepEqual(
    [held.status, held.body.error, held.body.next_action],
    [403, 'STEP_UP_REQUIRED', 'WAIT'],
    JSON.stringify(held.body),
  );
  assert.equal(
    (await app.get('/api/v1/auth/session', { token: owner })).status,
    200,
    'nobody was signed out',
  );
  app.clock.advance(61);
  const earlier = await app.newestMessage(email);
  const headers = { 'x-tenant': 'us' };
  const sent = await app.post('/api/v1/auth/forgot-password', { email }, { headers });
  const proof = {
    verification_id: sent.body.verification_id,
    code: await app.code(email, { after: earlier }),
  };
  assert.equal((await reset(await recover(proof))).status, 200);
});

test('C7 undoing a move ends what came of codes that were brought to the other chat: sessions, codes, addresses, a password', async () => {
  const phone = '+14155556104';
  await proveIn('974001', phone);
  app.clock.advance(61);
  const earlier = await app.newestMessage(phone);
  await auth.sendOtp('974002', phone);
  const moved = await auth.signIn('974002', await app.code(phone, { after: earlier }));
  const web = await app.post(
    '/api/v1/auth/verify-code',
    await codeInChat('974002', 'send-verification', phone),
  );
  assert.equal(web.status, 200);
  const thief = { token: web.body.access_token as string };
  // A day later nothing is held any more.
  app.clock.advance(86_400);
  const again = await app.post(
    '/api/v1/auth/verify-code',
    await codeInChat('974002', 'send-verification', phone),
  );
  const later = { token: again.body.access_token as string };
  const email = 'thief-974@example.com';
  const begun = await app.post('/api/v1/auth/identities', { email }, later);
  const added = { verification_id: begun.body.verification_id, code: await app.code(email) };
  assert.equal((await app.post('/api/v1/auth/verify-code', added, later)).status, 200);
  const set = await app.post('/api/v1/auth/change-password', { new_password: PASSWORD }, later);
  assert.equal(set.status, 200, JSON.stringify(set.body));
  const waiting = await codeInChat('974002', 'send-verification', phone);
  await auth.undoMove('974001', moved.chat.move_id ?? '');
  for (const { token } of [thief, later]) {
    assert.equal(
      (await app.get('/api/v1/auth/session', { token })).status,
      401,
      'signed in by a code in the chat',
    );
  }
  assert.equal(
    (await app.post('/api/v1/auth/verify-code', waiting)).status,
    404,
    'a code that was not used yet',
  );
  assert.equal((await app.post('/api/v1/auth/login', { phone, password: PASSWORD })).status, 401);
  const known = await app.databases.of('us').sql`
    select d.telegram_chat_id from devices d join identities i using (tenant_id, user_id)
    where i.value = ${phone} and d.disputed_at is null`;
  assert.deepEqual(
    [...known],
    [{ telegram_chat_id: '974001' }],
    'no device of the thief is known as the owner’s',
  );
  app.clock.advance(61);
  const byMail = await app.signIn({ email }, {}, { headers: { 'x-tenant': 'us' } });
  assert.equal(byMail.status, 201, 'an address that was added leads to the account no more');
});

test('C7 the hosted pages say that a change has to wait, and for how long', async () => {
  const phone = '+14155556105';
  await proveIn('975001', phone);
  await proveIn('975002', phone);
  const visitor = createVisitor(app, '198.51.100.77');
  const site = '/t/us';
  const codeOf = async (path: string, form: Record<string, string>) => {
    app.clock.advance(61);
    await visitor.get(`${site}${path}`);
    const earlier = await app.newestMessage(phone);
    const sent = await visitor.post(`${site}${path}`, { ...form, with: 'phone', phone });
    assert.equal(sent.status, 303, sent.text.slice(0, 2000));
    const next = sent.headers.get('location') ?? '';
    await visitor.get(next);
    const flow = new URL(next, app.url).searchParams.get('flow') ?? '';
    return visitor.post(`${site}/verify`, { flow, code: await app.code(phone, { after: earlier }) });
  };
  const follow = async (answer: Got): Promise<Got> => visitor.get(answer.headers.get('location') ?? '');
  assert.equal((await codeOf('/sign-in', {})).status, 303);
  await visitor.get(`${site}/account/add`);
  const asked = await visitor.post(`${site}/account/add`, { with: 'email', email: 'page-975@example.com' });
  const told = await follow(asked);
  assert.equal(told.status, 403);
  assert.match(told.text, /This change has to wait/);
  assert.match(told.text, /Try again in 24 hours/);

  const reset = await follow(await codeOf('/forgot', {}));
  const flow = /name="flow" value="([^"]+)"/.exec(reset.text)?.[1] ?? '';
  const refused = await visitor.post(`${site}/reset`, { flow, password: PASSWORD });
  assert.match(refused.text, /moved to another Telegram chat.*Try again in 24 hours/s);
});

test('C7 an account whose chat never moved, or whose move was undone, waits for nothing', async () => {
  const phone = '+14155556102';
  assert.equal((await addEmail(await proveIn('972001', phone))).status, 200);
  app.clock.advance(61);
  const earlier = await app.newestMessage(phone);
  await auth.sendOtp('972002', phone);
  const moved = await auth.signIn('972002', await app.code(phone, { after: earlier }));
  await auth.undoMove('972001', moved.chat.move_id ?? '');
  assert.equal((await addEmail(await proveIn('972001', phone))).status, 200);
});
