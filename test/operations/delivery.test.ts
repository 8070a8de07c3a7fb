import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { createDelivery, type Delivery, type Provider } from '../../src/delivery/delivery.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createSecrets } from '../../src/kernel/secrets.ts';
import { createOutbox } from '../../src/outbox/outbox.ts';
import { createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { createTestProvider, hangs, sends, type TestProvider, throws } from './test-provider.ts';

const AUTH = '/api/v1/auth';

let app: TestApp;
let other: TestApp;
let provider: TestProvider;
let others: TestProvider;
let counter = 0;

before(async () => {
  provider = createTestProvider(sends);
  others = createTestProvider(sends);
  const env = { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' };
  app = await createTestApp({ env, providers: [provider] });
  other = await app.replica({ env, providers: [others] });
});
after(async () => {
  provider.behave = sends;
  await other.close();
  await app.close();
});
beforeEach(async () => {
  // What an earlier test left waiting is over.
  app.clock.advance(86_400);
  for (const one of [app, other]) await one.app.worker.dispatch();
  provider.behave = sends;
  others.behave = sends;
  provider.given = [];
  others.given = [];
});

interface MessageRow {
  state: string;
  attempts: number;
  payload_sealed: Buffer | null;
  error: string | null;
  due_in: number;
}

async function messageOf(phone: string): Promise<MessageRow> {
  const { sql } = app.databases.of('us');
  const [row] = await sql<MessageRow[]>`
    select m.state, m.attempts, m.payload_sealed, m.error,
      extract(epoch from m.due_at - ${app.clock.now().toISOString()}::timestamptz)::float8 as due_in
    from messages m join verifications v on v.tenant_id = m.tenant_id and v.id = m.verification_id
    where v.value = ${phone}`;
  if (!row) throw new Error(`no message for ${phone}`);
  return row;
}

async function sendCode(): Promise<{ phone: string; verification_id: string }> {
  const phone = `+1415555${String(2000 + counter++)}`;
  const { status, body } = await app.post(`${AUTH}/send-verification`, { phone });
  assert.equal(status, 200);
  return { phone, verification_id: body.verification_id };
}

const reaches = (phone: string, state: string): Promise<void> =>
  until(async () => (await messageOf(phone)).state === state);

/** A dispatcher of its own beside the servers', with little patience and one place. */
function createImpatient(by: Provider): Delivery {
  const options = { secrets: createSecrets([TEST_SECRET]), newId: randomUUID, log: silentLog };
  const few = { concurrency: 1, providerTimeoutMilliseconds: 100, tenantOf: app.app.tenants.byId };
  const { control } = app.databases;
  return createDelivery({
    ...{
      ...options,
      ...few,
      control,
      databases: app.databases.all(),
      outbox: createOutbox(randomUUID()),
      providers: [by],
      random: () => 0,
    },
  });
}

test('R04 a provider that fails is tried three times, with growing pauses, and the payload is wiped at the end', async () => {
  provider.behave = throws;
  others.behave = throws;
  const { phone } = await sendCode();
  for (const [attempt, longest] of [
    [1, 4],
    [2, 8],
  ] as const) {
    await reaches(phone, 'queued');
    const row = await messageOf(phone);
    assert.equal(row.attempts, attempt);
    assert.ok(row.due_in >= 1 && row.due_in <= longest, `${row.due_in} s after try ${attempt}`);
    assert.ok(row.payload_sealed);
    await app.app.worker.dispatch();
    assert.equal((await messageOf(phone)).state, 'queued', 'not before its time');
    app.clock.advance(longest);
    await app.app.worker.dispatch();
  }
  await reaches(phone, 'failed');
  assert.deepEqual(
    { ...(await messageOf(phone)), due_in: 0 },
    {
      ...{ state: 'failed', attempts: 3, payload_sealed: null, error: 'Error', due_in: 0 },
    },
  );
  app.clock.advance(100);
  await app.app.worker.dispatch();
  assert.equal(provider.given.length + others.given.length, 3);
});

test('R04 a message of a server that died is sent by another, but only after the lease, and only once', async () => {
  let wake: (() => void) | undefined;
  provider.behave = async (envelope) => {
    await new Promise<void>((resolve) => (wake = resolve));
    return sends(envelope);
  };
  const { phone } = await sendCode();
  await until(() => provider.given.length === 1);
  app.clock.advance(29);
  await other.app.worker.dispatch();
  assert.equal(others.given.length, 0, 'the lease is not over');
  app.clock.advance(2);
  await other.app.worker.dispatch();
  await reaches(phone, 'sent');
  assert.equal(others.given[0]?.to, phone);
  assert.equal(others.given[0]?.code, provider.given[0]?.code, 'the same code');
  // The dead one was only slow: what it has to say comes too late.
  wake?.();
  await app.app.worker.dispatch();
  assert.equal((await messageOf(phone)).attempts, 2);
  assert.equal(others.given.length, 1);
});

test('R04 a code that was used, or has expired, is not sent any more', async () => {
  provider.behave = throws;
  const used = await sendCode();
  const expired = await sendCode();
  for (const { phone } of [used, expired]) await reaches(phone, 'queued');
  const code = provider.given.find((envelope) => envelope.to === used.phone)?.code;
  const proof = { verification_id: used.verification_id, verification_code: code };
  assert.equal((await app.post(`${AUTH}/verify-code`, proof)).status, 201);
  app.clock.advance(10);
  provider.behave = sends;
  provider.given = [];
  await app.app.worker.dispatch();
  await reaches(used.phone, 'abandoned');
  await reaches(expired.phone, 'sent');

  provider.behave = throws;
  const late = await sendCode();
  await reaches(late.phone, 'queued');
  app.clock.advance(300);
  provider.given = [];
  await app.app.worker.dispatch();
  await reaches(late.phone, 'abandoned');
  assert.deepEqual([provider.given, (await messageOf(late.phone)).payload_sealed], [[], null]);
});

test('R04 a message that outlived ten servers is given up, not tried for ever', async () => {
  provider.behave = throws;
  const { phone } = await sendCode();
  await reaches(phone, 'queued');
  await app.databases.of('us').sql`
    update messages set state = 'sending', attempts = 10, leased_by = ${randomUUID()},
      lease_until = due_at where state = 'queued'`;
  app.clock.advance(31);
  provider.given = [];
  await app.app.worker.dispatch();
  await reaches(phone, 'failed');
  assert.equal(provider.given.length, 0);
});

test('R04 a message that cannot be opened fails alone', async () => {
  provider.behave = throws;
  const broken = await sendCode();
  const sound = await sendCode();
  for (const { phone } of [broken, sound]) await reaches(phone, 'queued');
  await app.databases.of('us').sql`
    update messages set payload_sealed = 'nonsense that nobody sealed' where verification_id =
      (select id from verifications where value = ${broken.phone})`;
  provider.behave = sends;
  app.clock.advance(10);
  await app.app.worker.dispatch();
  await reaches(broken.phone, 'failed');
  await reaches(sound.phone, 'sent');
});

test('R04 a provider that hangs holds nobody up: its place is free again after the time-out', async () => {
  provider.behave = throws;
  const [first, second] = [await sendCode(), await sendCode()];
  for (const { phone } of [first, second]) await reaches(phone, 'queued');
  app.clock.advance(10);
  const slow = createTestProvider(hangs);
  const delivery = createImpatient(slow);
  const database = app.databases.of('us');
  assert.equal(await delivery.dispatchDue(database), 2);
  for (const { phone } of [first, second]) await reaches(phone, 'queued');
  assert.equal(slow.given.length, 2);
  assert.equal((await messageOf(second.phone)).error, 'TimeoutError');
  await delivery.stop([database]);
});

test('R04 a server that stops ends the try under way and hands the rest back, untried and due at once', async () => {
  provider.behave = throws;
  const codes = [await sendCode(), await sendCode()];
  for (const { phone } of codes) await reaches(phone, 'queued');
  app.clock.advance(10);
  const slow = createTestProvider(hangs);
  const delivery = createImpatient(slow);
  const database = app.databases.of('us');
  await delivery.dispatchDue(database);
  provider.behave = sends;
  provider.given = [];
  await delivery.stop([database]);
  assert.equal(slow.given.length, 1);
  // The servers that live are told of it.
  await until(async () => provider.given.length + others.given.length === 1);
  const sentTo = [...provider.given, ...others.given][0]?.to ?? '';
  await reaches(sentTo, 'sent');
  const rows = await Promise.all(codes.map(({ phone }) => messageOf(phone)));
  assert.deepEqual(rows.map((row) => row.state).sort(), ['queued', 'sent']);
  assert.equal((await messageOf(sentTo)).attempts, 2, 'only a try counts as one');
});
