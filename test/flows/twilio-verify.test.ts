import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { answers, createFakeProvider, type FakeProvider } from '../providers/fake-provider.ts';
import { ACCOUNT, AUTH_TOKEN, SERVICE } from '../providers/providers.ts';

let app: TestApp;
let fake: FakeProvider;
const SID = `VE${'3'.repeat(32)}`;

before(async () => {
  fake = await createFakeProvider(answers(201, { sid: SID, status: 'pending' }));
  app = await createTestApp({
    env: { TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: AUTH_TOKEN, TWILIO_VERIFY_SERVICE_SID: SERVICE },
    fetch: fake.fetch,
  });
});
after(async () => {
  await app.close();
  await fake.close();
});

test('a sign-in by Twilio Verify: our code goes out, and Twilio hears that it was approved', async () => {
  const phone = '+14155559001';
  const { body } = await app.post('/api/v1/auth/send-verification', { phone });
  await until(() => fake.received.length === 1);
  const code = fake.received[0]?.form['CustomCode'];
  assert.match(code ?? '', /^\d{6}$/);
  await until(async () => (await app.newestMessage(phone)) !== undefined);
  await until(async () => {
    const [row] = await app.databases.of('us').sql<{ state: string }[]>`select state from message_sends`;
    return row?.state === 'sent';
  });
  const wrong = code === '111111' ? '222222' : '111111';
  const proof = { verification_id: body.verification_id };
  assert.equal((await app.post('/api/v1/auth/verify-code', { ...proof, code: wrong })).status, 401);
  assert.equal(fake.received.length, 1, 'nobody is asked about our own codes');
  assert.equal((await app.post('/api/v1/auth/verify-code', { ...proof, code })).status, 201);
  await until(() => fake.received.length === 2);
  const told = fake.received[1];
  assert.equal(told?.url.pathname, `/v2/Services/${SERVICE}/Verifications/${SID}`);
  assert.deepEqual(told?.form, { Status: 'approved' });
});
