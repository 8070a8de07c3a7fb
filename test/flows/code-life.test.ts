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

async function sendTo(address: { phone: string } | { email: string }) {
  const sent = await app.post(SEND, address);
  assert.equal(sent.status, 200);
  const code = await app.code('phone' in address ? address.phone : address.email);
  return { verification_id: sent.body.verification_id as string, code };
}

test('S20 a code is good for 299 seconds and expired after 301', async () => {
  const early = await sendTo({ phone: '+14155550301' });
  app.clock.advance(299);
  assert.equal((await app.post(VERIFY, early)).status, 201);

  const late = await sendTo({ phone: '+14155550302' });
  app.clock.advance(301);
  const byHandle = await app.post(VERIFY, late);
  assert.equal(byHandle.status, 410);
  assert.equal(byHandle.body.error, 'CODE_EXPIRED');
  assert.equal(byHandle.body.next_action, 'REQUEST_CODE');
  const byAddress = await app.post(VERIFY, { phone: '+14155550302', code: late.code });
  assert.equal(byAddress.body.error, 'CODE_EXPIRED');
});

test('S20 no tenant can be given a code that lives longer than 600 seconds', async () => {
  const tenant = app.app.tenants.bySlug('uz');
  assert.ok(tenant);
  const settings = { ...tenant.settings, code: { lifetime_seconds: 600 } };
  await app.app.tenants.update(tenant, { settings });
  const sent = await sendTo({ phone: '+998901110001' });
  app.clock.advance(599);
  assert.equal((await app.post(VERIFY, sent)).status, 201);
  await app.app.tenants.update(tenant, { settings: { ...settings, code: { lifetime_seconds: 601 } } });
  const refused = await app.post(SEND, { phone: '+998901110002' });
  assert.equal(refused.status, 500, 'the database itself refuses such a row');
  await app.app.tenants.update(tenant, { settings });
});

for (const [way, number] of [
  ['handle', 3],
  ['address', 4],
] as const) {
  test(`by ${way}: five wrong codes count down, then the right one is refused too`, async () => {
    const phone = `+1415555031${number}`;
    const { verification_id, code } = await sendTo({ phone });
    const named = way === 'handle' ? { verification_id } : { phone };
    for (const left of [4, 3, 2, 1, 0]) {
      const wrong = await app.post(VERIFY, { ...named, code: wrongCode(code) });
      assert.equal(wrong.status, 401);
      assert.equal(wrong.body.error, 'INVALID_CODE');
      assert.equal(wrong.body.attempts_left, left);
      assert.equal(wrong.body.channel, 'sms');
    }
    for (const body of [
      { ...named, code },
      { phone, code },
      { verification_id, code },
    ]) {
      const dead = await app.post(VERIFY, body);
      assert.equal(dead.status, 429);
      assert.equal(dead.body.error, 'TOO_MANY_ATTEMPTS');
      assert.equal(dead.body.attempts_left, 0);
    }
    const { sql } = app.databases.of('us');
    const [row] = await sql`select attempts, consumed_at from verifications where value = ${phone}`;
    assert.equal(row?.['attempts'], 5);
    assert.equal(row?.['consumed_at'], null);
    const users = await sql`select id from identities where value = ${phone}`;
    assert.equal(users.length, 0);
    const wrongs = await sql`
      select id from audit_events where subject = ${`phone:${phone}`} and action = 'code.wrong'`;
    assert.equal(wrongs.length, 5);
  });
}

test('a used code, an unknown handle and an address without a code are all not found', async () => {
  const used = await sendTo({ phone: '+14155550321' });
  assert.equal((await app.post(VERIFY, used)).status, 201);
  for (const body of [
    used,
    { phone: '+14155550321', code: used.code },
    { verification_id: 'A'.repeat(44), code: used.code },
    { verification_id: 'nonsense', code: used.code },
    { email: 'nobody@example.com', code: '123456' },
  ]) {
    const answer = await app.post(VERIFY, body);
    assert.equal(answer.status, 404);
    assert.equal(answer.body.error, 'VERIFICATION_NOT_FOUND');
  }
});

test('a code of one address opens neither another address nor another handle', async () => {
  const mine = await sendTo({ phone: '+14155550331' });
  const yours = await sendTo({ phone: '+14155550332' });
  if (mine.code === yours.code) return;
  const swapped = await app.post(VERIFY, { verification_id: yours.verification_id, code: mine.code });
  assert.equal(swapped.body.error, 'INVALID_CODE');
  const named = await app.post(VERIFY, { phone: '+14155550332', code: mine.code });
  assert.equal(named.body.error, 'INVALID_CODE');
});

test('codes are read as people type them, under each of their three names', async () => {
  let number = 0;
  for (const write of [
    (code: string) => ({ verification_code: `${code.slice(0, 3)} ${code.slice(3)}` }),
    (code: string) => ({ code: `${code.slice(0, 3)}-${code.slice(3)}` }),
    (code: string) => ({ otp: ` ${code} ` }),
  ]) {
    const { verification_id, code } = await sendTo({ phone: `+1415555034${number++}` });
    assert.equal((await app.post(VERIFY, { verification_id, ...write(code) })).status, 201);
  }
  const { verification_id, code } = await sendTo({ phone: '+14155550349' });
  const twice = await app.post(VERIFY, { verification_id, code, otp: code });
  assert.equal(twice.body.error, 'INVALID_REQUEST');
  assert.equal(twice.body.issues[0].path, '/verification_code');
});

test('several codes wait for one address: each fits its own handle, and a proof ends the others', async () => {
  const email = 'several@example.com';
  const first = await sendTo({ email });
  app.clock.advance(61);
  const newest = await app.newestMessage(email);
  const again = await app.post(SEND, { email });
  const second = {
    verification_id: again.body.verification_id as string,
    code: await app.code(email, { after: newest }),
  };
  assert.notEqual(second.verification_id, first.verification_id);
  assert.equal((await app.post(VERIFY, { email, code: first.code })).status, 201);
  assert.equal((await app.post(VERIFY, second)).body.error, 'VERIFICATION_NOT_FOUND');
});
