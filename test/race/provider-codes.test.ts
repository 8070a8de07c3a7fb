import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { answers, createFakeProvider, type FakeProvider, faults } from '../providers/fake-provider.ts';
import { ACCOUNT, AUTH_TOKEN, SERVICE } from '../providers/providers.ts';
import { atOnce, tally } from './at-once.ts';

const VERIFY = '/api/v1/auth/verify-code';

/** Twilio's side: which codes it made, and how its checks are to go wrong. */
const made = new Map<string, { code: string; status: string; checks: number }>();
let checks = 0;
let onCheck: 'answers' | 'approves all' | 'loses its answer' | 'hang' = 'answers';
let app: TestApp;
let fake: FakeProvider;
let counter = 0;

before(async () => {
  fake = await createFakeProvider((request, response) => {
    const { form } = request;
    if (request.url.pathname.endsWith('/Verifications')) {
      assert.equal(form['CustomCode'], undefined);
      const sid = `VE${String(made.size + 1).padStart(32, '0')}`;
      made.set(sid, { code: String(700_000 + made.size), status: 'pending', checks: 0 });
      return answers(201, { sid, status: 'pending' })(request, response);
    }
    checks++;
    if (onCheck === 'hang') return faults['hang']?.(request, response);
    const sid = form['VerificationSid'] ?? '';
    const verification = made.get(sid);
    if (!verification || verification.status !== 'pending') {
      if (onCheck !== 'approves all') return answers(404, { code: 20404 })(request, response);
    }
    if (!verification) return;
    if (++verification.checks > 5) return answers(429, { code: 60202 })(request, response);
    if (verification.code === form['Code']) verification.status = 'approved';
    if (onCheck === 'loses its answer') return faults['reset']?.(request, response);
    answers(200, { sid, status: verification.status })(request, response);
  });
  app = await createTestApp({
    env: {
      FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000',
      TWILIO_ACCOUNT_SID: ACCOUNT,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      TWILIO_VERIFY_SERVICE_SID: SERVICE,
      TWILIO_VERIFY_CODES: 'twilio',
    },
    fetch: fake.fetch,
    tenants: { uz: { error_detail: 'uniform' } },
  });
});
after(async () => {
  await app.close();
  await fake.close();
});
beforeEach(() => {
  onCheck = 'answers';
  checks = 0;
});

interface Sent {
  phone: string;
  verification_id: string;
  sid: string;
  code: string;
}

/** A code that Twilio has made, and that the phone has got. */
async function send(): Promise<Sent> {
  const phone = `+1415555${String(6000 + counter++)}`;
  const { status, body } = await app.post('/api/v1/auth/send-verification', { phone });
  assert.equal(status, 200);
  let sid = '';
  await until(async () => {
    const [row] = await app.databases.of('us').sql<{ sid: string }[]>`
      select d.provider_message_id as sid from message_sends d join verifications v
        on v.tenant_id = d.tenant_id and v.id = d.verification_id where v.value = ${phone}`;
    sid = row?.sid ?? '';
    return sid !== '';
  });
  return { phone, verification_id: body.verification_id, sid, code: made.get(sid)?.code ?? '' };
}

const type = ({ verification_id }: Sent, code: string) => app.post(VERIFY, { verification_id, code });

async function attemptsOf({ phone }: Sent): Promise<number> {
  const [row] = await app.databases.of('us').sql<{ attempts: number }[]>`
    select attempts from verifications where value = ${phone}`;
  return row?.attempts ?? -1;
}

async function eventsOf({ phone }: Sent): Promise<string[]> {
  const rows = await app.databases.of('us').sql<{ action: string }[]>`
    select e.action from audit_events e join verifications v
      on e.tenant_id = v.tenant_id and e.data->>'verification_id' = v.id::text
    where v.value = ${phone} order by e.id`;
  return rows.map(({ action }) => action);
}

test('S01 a code that Twilio made: the wrong one is counted here, the right one makes the account, each told once', async () => {
  const sent = await send();
  const wrong = await type(sent, '111111');
  assert.deepEqual([wrong.status, wrong.body.error, wrong.body.attempts_left], [401, 'INVALID_CODE', 4]);
  const right = await type(sent, sent.code);
  assert.equal(right.status, 201);
  assert.equal(right.body.is_new_user, true);
  assert.equal(await attemptsOf(sent), 2);
  assert.deepEqual(await eventsOf(sent), [
    'code.asked',
    'code.wrong',
    'code.asked',
    'user.signed_in',
    'user.created',
  ]);
  assert.equal((await type(sent, sent.code)).status, 404, 'once');
});

test('S01 of 20 wrong codes at once Twilio is asked about five at most, and then about none', async () => {
  const sent = await send();
  const requests = Array.from({ length: 20 }, (_, index) => ({
    app,
    path: VERIFY,
    body: { verification_id: sent.verification_id, code: String(200_000 + index) },
  }));
  const outcome = tally(await atOnce(requests));
  assert.ok(checks <= 5, `${checks} checks`);
  assert.equal(outcome['401 INVALID_CODE'], 5, JSON.stringify(outcome));
  assert.equal((await type(sent, sent.code)).status, 429);
  assert.ok(checks <= 5);
});

test('S03 of 4 right codes at once one signs in, whether Twilio approves one or all', async () => {
  for (const way of ['answers', 'approves all'] as const) {
    onCheck = way;
    const sent = await send();
    const request = { app, path: VERIFY, body: { verification_id: sent.verification_id, code: sent.code } };
    const results = await atOnce(Array.from({ length: 4 }, () => request));
    assert.equal(results.filter(({ status }) => status === 201).length, 1, JSON.stringify(tally(results)));
    const [row] = await app.databases.of('us').sql<{ users: number; sessions: number }[]>`
      select count(distinct i.user_id)::int as users, count(s.id)::int as sessions from identities i
      left join sessions s on s.tenant_id = i.tenant_id and s.user_id = i.user_id where i.value = ${sent.phone}`;
    assert.deepEqual({ ...row }, { users: 1, sessions: 1 });
  }
});

test('S03 what Twilio approved for one handle is worth nothing for another', async () => {
  const [victim, other] = [await send(), await send()];
  assert.equal((await type(other, victim.code)).status, 401);
  assert.equal((await type(victim, victim.code)).status, 201);
});

test('S06 an approval whose answer was lost makes nothing: a new code is asked for', async () => {
  const sent = await send();
  onCheck = 'loses its answer';
  const lost = await type(sent, sent.code);
  assert.deepEqual(
    [lost.status, lost.body.error, lost.body.next_action],
    [503, 'CHANNEL_UNAVAILABLE', 'REQUEST_CODE'],
  );
  assert.equal(await attemptsOf(sent), 1, 'counted all the same');
  onCheck = 'answers';
  const again = await type(sent, sent.code);
  assert.deepEqual([again.status, again.body.error], [410, 'CODE_EXPIRED']);
  const [row] = await app.databases.of('us').sql<{ users: number }[]>`
    select count(*)::int as users from identities where value = ${sent.phone}`;
  assert.equal(row?.users, 0);
});

test('S06 a server that died after the approval was written: the same code finishes the sign-in', async () => {
  const sent = await send();
  const { sql } = app.databases.of('us');
  // The account cannot be written: what was approved is kept, what would follow is not.
  await sql`create function no_session() returns trigger language plpgsql as
    $$ begin raise exception 'failpoint'; end $$`;
  await sql`create trigger no_session before insert on sessions execute function no_session()`;
  assert.equal((await type(sent, sent.code)).status, 500);
  await sql`drop trigger no_session on sessions`;
  assert.equal((await type(sent, sent.code)).status, 201);
  assert.equal(checks, 1, 'Twilio was not asked again');
});

test('S01 five wrong codes at Twilio burn the code here too', async () => {
  const sent = await send();
  const verification = made.get(sent.sid);
  assert.ok(verification);
  verification.checks = 5;
  const burned = await type(sent, '111111');
  assert.deepEqual(
    [burned.status, burned.body.error, burned.body.attempts_left],
    [429, 'TOO_MANY_ATTEMPTS', 0],
  );
  assert.equal((await type(sent, sent.code)).status, 429);
  assert.equal(checks, 1);
});

test('S22 Twilio is never asked about a decoy', async () => {
  const phone = '+998901234567';
  const { status, body } = await app.post('/api/v1/auth/forgot-password', { phone });
  assert.equal(status, 200, JSON.stringify(body));
  const guess = await app.post(VERIFY, { verification_id: body.verification_id, code: '700000' });
  assert.equal(guess.status, 401);
  assert.equal(checks, 0);
});
