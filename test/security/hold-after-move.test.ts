import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PhoneAuth } from '../../sdk/src/phone-auth.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';

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
