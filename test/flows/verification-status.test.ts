import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { createTestProvider, refuses, sends, type TestProvider } from '../operations/test-provider.ts';

const AUTH = '/api/v1/auth';

let app: TestApp;
let other: TestApp;
let telegram: TestProvider;
let sms: TestProvider;
let revoked: string[] = [];
let counter = 0;

before(async () => {
  telegram = createTestProvider(sends, { name: 'gateway', channels: ['telegram'], reachesByPhone: true });
  telegram.revoke = async (id) => void revoked.push(id);
  sms = createTestProvider(sends, { name: 'sms' });
  const delivery = {
    routes: { default: ['telegram' as const, 'sms' as const] },
    next_channel_after_seconds: 20,
  };
  const options = {
    env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' },
    providers: [telegram, sms],
    tenants: { us: { delivery }, uz: { delivery, error_detail: 'uniform' as const } },
  };
  app = await createTestApp(options);
  other = await app.replica(options);
});
after(async () => {
  await other.close();
  await app.close();
});
beforeEach(() => {
  telegram.behave = sends;
  sms.behave = sends;
  revoked = [];
});

interface Started {
  phone: string;
  id: string;
}

async function start(prefix = '+1415555', more: Record<string, unknown> = {}): Promise<Started> {
  const phone = `${prefix}${String(4000 + counter++)}`;
  const { status, body } = await app.post(`${AUTH}/send-verification`, { phone, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return { phone, id: body.verification_id };
}

async function statusOf(id: string) {
  const { status, body } = await app.get(`${AUTH}/verifications/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const reaches = (id: string, state: string, channel: string): Promise<void> =>
  until(async () => {
    const body = await statusOf(id);
    return body.state === state && body.channel === channel;
  });

/** The events of a stream as they come. */
function follow(base: string, id: string) {
  const events: { name: string; data: { state?: string; channel?: string; verification_state?: string } }[] =
    [];
  const control = new AbortController();
  let isEnded = false;
  const headers = { accept: 'text/event-stream' };
  const reading = fetch(`${base}${AUTH}/verifications/${id}`, { headers, signal: control.signal }).then(
    async (response) => {
      assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
      assert.equal(response.headers.get('cache-control'), 'no-store');
      let text = '';
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString();
        const parts = text.split('\n\n');
        text = parts.pop() ?? '';
        for (const part of parts) {
          const match = /^event: (\w+)\ndata: (.*)$/s.exec(part);
          if (match?.[1]) events.push({ name: match[1], data: JSON.parse(match[2] ?? '{}') });
        }
      }
      isEnded = true;
    },
  );
  reading.catch(() => {});
  return { events, isEnded: () => isEnded, close: () => control.abort() };
}

test('the status tells channel and state as they are, what comes next and when, and what is left to try', async () => {
  const { id } = await start();
  await reaches(id, 'sent', 'telegram');
  app.clock.advance(5);
  const body = await statusOf(id);
  assert.deepEqual(body, {
    success: true,
    channel: 'telegram',
    state: 'sent',
    next_channel: 'sms',
    next_channel_in: 15,
    verification_state: 'live',
    destination: body.destination,
    expires_in: 295,
    resend_in: 55,
    attempts_left: 5,
  });
  assert.match(body.destination, /•••/);
  await app.post(`${AUTH}/verify-code`, { verification_id: id, code: '000000' });
  assert.equal((await statusOf(id)).attempts_left, 4);
  app.clock.advance(15);
  await app.app.worker.dispatch();
  await reaches(id, 'sent', 'sms');
  const last = await statusOf(id);
  assert.deepEqual([last.next_channel, last.next_channel_in], [null, null]);
  app.clock.advance(300);
  const over = await statusOf(id);
  assert.deepEqual([over.verification_state, over.expires_in, over.attempts_left], ['expired', 0, 0]);
});

test('a handle that names nothing is not found; reads are limited', async () => {
  const { id } = await start();
  const changed = `${id.slice(0, -4)}AAAA`;
  assert.equal((await app.get(`${AUTH}/verifications/${changed}`)).status, 404);
  assert.equal((await app.get(`${AUTH}/verifications/nothing`)).status, 404);
  const statuses: number[] = [];
  for (let read = 0; read < 80; read++) {
    const answer = await app.get(`${AUTH}/verifications/${id}`, { from: '203.0.113.77' });
    statuses.push(answer.status);
    if (answer.status === 429) assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.ok(statuses.includes(429));
  assert.ok(statuses.slice(0, 60).every((status) => status === 200));
});

test('a stream tells each change, also one made by another server, and ends with the proof', async () => {
  const release = Promise.withResolvers<void>();
  telegram.behave = async () => {
    await release.promise;
    return { state: 'refused', error: 'not on Telegram' };
  };
  const { id, phone } = await start();
  const streams = [follow(app.url, id), follow(other.url, id)];
  await until(async () => streams.every(({ events }) => events.length === 1));
  await wait(100); // The other server has told that it watches.
  release.resolve();
  const shows = (wanted: string) =>
    until(async () =>
      streams.every(({ events }) => events.some(({ data }) => `${data.channel} ${data.state}` === wanted)),
    );
  await shows('sms sent');
  const code = sms.given.find((envelope) => envelope.to === phone)?.code;
  const proof = { verification_id: id, verification_code: code };
  assert.equal((await app.post(`${AUTH}/verify-code`, proof)).status, 201);
  await until(async () => streams.every((stream) => stream.isEnded()));
  for (const { events } of streams) {
    assert.deepEqual(
      events.slice(-2).map(({ name, data }) => [name, data.verification_state]),
      [
        ['status', 'used'],
        ['end', undefined],
      ],
    );
  }
});

test('streams are bounded, and a server that stops ends them', async () => {
  const { id } = await start();
  await reaches(id, 'sent', 'telegram');
  const third = await app.replica({ providers: [telegram, sms] });
  const streams = Array.from({ length: 20 }, () => follow(third.url, id));
  await until(async () => streams.every(({ events }) => events.length === 1));
  const refused = await fetch(`${third.url}${AUTH}/verifications/${id}`, {
    headers: { accept: 'text/event-stream' },
  });
  assert.equal(refused.status, 429);
  const before = performance.now();
  await third.close();
  assert.ok(performance.now() - before < 15_000, 'not held up until connections are cut');
  assert.ok(streams.slice(1).every((stream) => stream.isEnded()));
});

test('a code that was used by another way is taken back where it went first', async () => {
  const { id, phone } = await start();
  await reaches(id, 'sent', 'telegram');
  app.clock.advance(20);
  await app.app.worker.dispatch();
  await reaches(id, 'sent', 'sms');
  const given = telegram.given.find((envelope) => envelope.to === phone);
  const proof = { verification_id: id, verification_code: given?.code };
  assert.equal((await app.post(`${AUTH}/verify-code`, proof)).status, 201);
  await until(async () => revoked.length > 0);
  assert.deepEqual(revoked, [given?.id]);
});

test('S22 where nobody may learn who has an account, plan and clock are told and not what happened', async () => {
  telegram.behave = refuses('not on Telegram');
  const { id } = await start('+99890123');
  await until(async () => sms.given.some((envelope) => envelope.to.startsWith('+99890123')));
  const told = await statusOf(id);
  assert.deepEqual(
    [told.channel, told.state, told.next_channel, told.next_channel_in],
    ['telegram', 'sent', 'sms', 20],
  );
  app.clock.advance(25);
  const later = await statusOf(id);
  assert.deepEqual([later.channel, later.state, later.next_channel], ['sms', 'sent', null]);
});

test('S22 a forgotten password is told of alike for an account and for nobody', async () => {
  const known = await start('+99890124');
  await until(async () => [...telegram.given, ...sms.given].some(({ to }) => to === known.phone));
  const code = [...telegram.given, ...sms.given].findLast((envelope) => envelope.to === known.phone)?.code;
  const proof = { verification_id: known.id, verification_code: code };
  assert.equal((await app.post(`${AUTH}/verify-code`, proof)).status, 201);
  app.clock.advance(700);
  telegram.behave = refuses('not on Telegram');
  const statuses: unknown[] = [];
  for (const phone of [known.phone, '+998901249999']) {
    const sent = await app.post(`${AUTH}/forgot-password`, { phone });
    assert.equal(sent.status, 200);
    await wait(100);
    const { destination: _destination, ...rest } = await statusOf(sent.body.verification_id);
    statuses.push(rest);
  }
  assert.deepEqual(statuses[0], statuses[1]);
});
