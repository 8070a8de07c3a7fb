import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { wrongCode } from '../wrong-code.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const SEND = '/api/v1/auth/send-verification';
const VERIFY = '/api/v1/auth/verify-code';
const RESEND = '/api/v1/auth/resend-otp';

test('the same code comes again while it lives, by handle and by address', async () => {
  const phone = '+14155550201';
  const sent = await app.post(SEND, { phone });
  const { verification_id } = sent.body;
  const code = await app.code(phone);

  app.clock.advance(60);
  let newest = await app.newestMessage(phone);
  const byHandle = await app.post(RESEND, { verification_id });
  assert.equal(byHandle.status, 200);
  assert.equal(byHandle.body.verification_id, verification_id);
  assert.equal(byHandle.body.expires_in, 240);
  assert.equal(byHandle.body.resend_in, 60);
  assert.equal(await app.code(phone, { after: newest }), code);

  app.clock.advance(60);
  newest = await app.newestMessage(phone);
  const byAddress = await app.post(RESEND, { phone });
  assert.equal(byAddress.status, 200);
  assert.equal(byAddress.body.expires_in, 180);
  assert.equal(
    byAddress.body.verification_id,
    undefined,
    'an address alone never learns the handle of whoever started it',
  );
  assert.equal(await app.code(phone, { after: newest }), code);

  const { sql } = app.databases.of('us');
  const [row] = await sql`select sends, last_sent_at from verifications where value = ${phone}`;
  assert.equal(row?.['sends'], 3);
  const rows = await sql`select action from audit_events where subject = ${`phone:${phone}`}
    and action = 'verification.resent'`;
  assert.equal(rows.length, 2);
  const proved = await app.post(VERIFY, { verification_id, code });
  assert.equal(proved.status, 201);
});

test('inside the cool-down nothing is sent and the wait is told', async () => {
  const phone = '+14155550202';
  const sent = await app.post(SEND, { phone });
  await app.code(phone);
  app.clock.advance(25);
  for (const [path, body] of [
    [RESEND, { verification_id: sent.body.verification_id }],
    [RESEND, { phone }],
    [SEND, { phone }],
  ] as const) {
    const answer = await app.post(path, body);
    assert.equal(answer.status, 429);
    assert.equal(answer.body.error, 'RESEND_TOO_SOON');
    assert.equal(answer.body.resend_in, 35);
    assert.equal(answer.body.retry_after, 35);
    assert.equal(answer.headers.get('retry-after'), '35');
  }
  const [row] = await app.databases.of('us').sql`
    select count(*)::int as count from messages m join verifications v on v.id = m.verification_id
    where v.value = ${phone}`;
  assert.equal(row?.['count'], 1);
  app.clock.advance(34);
  assert.equal((await app.post(RESEND, { phone })).body.resend_in, 1);
  app.clock.advance(1);
  assert.equal((await app.post(RESEND, { phone })).status, 200);
});

test('after expiry a fresh code comes under a new handle, and the old handle stays over', async () => {
  const phone = '+14155550203';
  const sent = await app.post(SEND, { phone });
  const code = await app.code(phone);
  app.clock.advance(301);
  const newest = await app.newestMessage(phone);
  const again = await app.post(RESEND, { verification_id: sent.body.verification_id });
  assert.equal(again.status, 200);
  assert.equal(again.body.expires_in, 300);
  assert.notEqual(again.body.verification_id, sent.body.verification_id);
  const fresh = await app.code(phone, { after: newest });
  const old = await app.post(VERIFY, { verification_id: sent.body.verification_id, code });
  assert.equal(old.body.error, 'CODE_EXPIRED');
  const proved = await app.post(VERIFY, { verification_id: again.body.verification_id, code: fresh });
  assert.equal(proved.status, 201);
});

test('a code guessed at too often is replaced by a fresh one, and wrong codes still count together', async () => {
  const phone = '+14155550204';
  const sent = await app.post(SEND, { phone });
  const code = await app.code(phone);
  for (let attempt = 0; attempt < 5; attempt++) {
    await app.post(VERIFY, { verification_id: sent.body.verification_id, code: wrongCode(code) });
  }
  app.clock.advance(61);
  const newest = await app.newestMessage(phone);
  const again = await app.post(RESEND, { verification_id: sent.body.verification_id });
  assert.equal(again.status, 200);
  assert.notEqual(again.body.verification_id, sent.body.verification_id);
  assert.equal(again.body.attempts_left, 5);
  const fresh = await app.code(phone, { after: newest });
  for (let attempt = 0; attempt < 5; attempt++) {
    const { verification_id } = again.body;
    const wrong = await app.post(VERIFY, { verification_id, code: wrongCode(fresh) });
    assert.equal(wrong.body.attempts_left, 4 - attempt);
  }
  app.clock.advance(61);
  const closed = await app.post(RESEND, { phone });
  assert.equal(closed.body.error, 'TOO_MANY_ATTEMPTS');
  assert.ok(closed.body.retry_after > 3000);
});

test('the cool-down ends once the code has been used', async () => {
  const email = 'quick@example.com';
  await app.signIn({ email });
  const again = await app.signIn({ email });
  assert.equal(again.status, 200);
});

test('nothing waits: no verification is found, whoever asks', async () => {
  const used = '+14155550205';
  const sent = await app.post(SEND, { phone: used });
  const { verification_id } = sent.body;
  await app.post(VERIFY, { verification_id, code: await app.code(used) });
  for (const body of [
    { phone: '+14155550299' },
    { email: 'nobody@example.com' },
    { verification_id },
    { verification_id: 'A'.repeat(44) },
    { verification_id: 'x' },
  ]) {
    const answer = await app.post(RESEND, body);
    assert.equal(answer.status, 404, JSON.stringify(body));
    assert.equal(answer.body.error, 'VERIFICATION_NOT_FOUND');
  }
});
