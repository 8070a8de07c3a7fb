import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { createTestProvider, sends, throws } from './test-provider.ts';

const AUTH = '/api/v1/auth';
/** The long forms: FIRSTPROOF_HANG_SECONDS=60, FIRSTPROOF_QUEUED=10000. */
const HANG_SECONDS = Number(process.env['FIRSTPROOF_HANG_SECONDS'] ?? 3);
const QUEUED = Number(process.env['FIRSTPROOF_QUEUED'] ?? 1000);
const env = { FIRSTPROOF_BUDGETS: 'relaxed' };

let counter = 0;

async function send(app: TestApp): Promise<{ phone: string; milliseconds: number }> {
  const number = counter++;
  const phone = `+1212${String(2_000_000 + number)}`;
  const began = performance.now();
  const from = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  const { status, body } = await app.post(`${AUTH}/send-verification`, { phone }, { from });
  assert.equal(status, 200, JSON.stringify(body));
  return { phone, milliseconds: performance.now() - began };
}

async function untilTrue(condition: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000;
  while (!(await condition())) {
    assert.ok(performance.now() < until, `not within ${seconds} s`);
    await wait(50);
  }
}

test('R03 a provider that hangs: answers stay fast, its breaker opens, the next channel carries, it closes by itself', {
  timeout: (HANG_SECONDS + 120) * 1000,
}, async (context) => {
  let isHanging = true;
  const hanging = createTestProvider((envelope) => (isHanging ? new Promise(() => {}) : sends(envelope)), {
    name: 'hanging',
  });
  const voice = createTestProvider(sends, { name: 'voice', channels: ['voice'] });
  const route = { default: ['sms' as const, 'voice' as const] };
  const app = await createTestApp({
    env,
    providers: [hanging, voice],
    providerTimeoutMilliseconds: HANG_SECONDS >= 60 ? 10_000 : 500,
    tenants: { us: { channels: ['sms', 'voice'], delivery: { routes: route } } },
  });
  context.after(() => app.close());
  const metric = async (): Promise<string> => (await app.app.metrics.render()).text;
  const isShut = async (): Promise<boolean> =>
    /breaker_state\{provider="hanging"\} [12]/.test(await metric());
  const times: number[] = [];
  const phones: string[] = [];
  /** Those asked for when its breaker was open. */
  const late: string[] = [];
  const until = performance.now() + HANG_SECONDS * 1000;
  while (performance.now() < until || late.length < 20) {
    assert.ok(performance.now() < until + 30_000, 'its breaker opens');
    const wasShut = await isShut();
    const sent = await send(app);
    times.push(sent.milliseconds);
    phones.push(sent.phone);
    if (wasShut) late.push(sent.phone);
    await wait(20);
  }
  const carried = (): Set<string> => new Set(voice.given.map((envelope) => envelope.to));
  await untilTrue(() => phones.every((phone) => carried().has(phone)), 30);
  await untilTrue(async () => (await app.app.delivery.failing())[0]?.provider === 'hanging', 5);
  const before = hanging.given.length;
  const probes = hanging.given.filter((envelope) => late.includes(envelope.to)).length;
  assert.ok(probes <= late.length / 2, `${probes} of ${late.length} were held up by it`);

  isHanging = false;
  await untilTrue(async () => {
    await send(app);
    return /breaker_state\{provider="hanging"\} 0/.test(await metric());
  }, 80);
  await untilTrue(async () => (await app.app.delivery.failing()).length === 0, 5);
  const last = await send(app);
  await untilTrue(() => hanging.given.some((envelope) => envelope.to === last.phone), 5);
  times.sort((left, right) => left - right);
  const at = (share: number): string => `${Math.round(times[Math.floor(times.length * share)] ?? 0)} ms`;
  context.diagnostic(
    `${times.length} sends while it hung ${HANG_SECONDS} s: p50 ${at(0.5)}, p99 ${at(0.99)}; ` +
      `${before} reached it, ${voice.given.length} went by the next channel`,
  );
});

test('R04 what was queued while a provider was away leaves at its pace when it is back, over all servers, each once', {
  timeout: (QUEUED / 10 + 120) * 1000,
}, async (context) => {
  const perSecond = 100;
  let isAway = true;
  const begun: number[] = [];
  const given: string[] = [];
  const make = () =>
    createTestProvider(
      (envelope) => {
        if (isAway) return throws();
        begun.push(performance.now());
        given.push(envelope.to);
        return sends(envelope);
      },
      { name: 'paced', limits: { perSecond } },
    );
  const app = await createTestApp({ env, providers: [make()] });
  const other = await app.replica({ env, providers: [make()] });
  context.after(async () => {
    await other.close();
    await app.close();
  });
  const phones: string[] = [];
  for (let sent = 0; sent < QUEUED; sent += 20) {
    const some = await Promise.all(Array.from({ length: 20 }, (_, index) => send(index % 2 ? app : other)));
    phones.push(...some.map(({ phone }) => phone));
  }
  const { sql } = app.databases.of('us');
  const inState = async (...states: string[]): Promise<number> => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from messages where state = any(${states})`;
    return row?.count ?? 0;
  };
  const waiting = (): Promise<number> => inState('queued', 'sending');
  assert.ok((await waiting()) > QUEUED * 0.9);
  await untilTrue(async () => {
    app.clock.advance(10);
    const [queue] = await app.app.delivery.queued(app.databases.of('us'));
    await app.app.delivery.refresh(app.databases.of('us'));
    const { text } = await app.app.metrics.render();
    const age = /delivery_queue_age_seconds\{database="us",channel="sms"\} ([\d.]+)/.exec(text)?.[1];
    return queue?.channel === 'sms' && queue.oldest_seconds >= 1 && Number(age) >= 1;
  }, 20);
  // Leases ran by the clock that was turned, their holders' patience by the machine's: what was held meanwhile goes back.
  await untilTrue(async () => (await inState('sending')) === 0, 30);
  isAway = false;
  let mostHeld = 0;
  const beganAt = performance.now();
  await untilTrue(
    async () => {
      // The servers' own rounds follow the machine's time, what is due the injected one.
      app.clock.advance(0.5);
      await wait(400);
      mostHeld = Math.max(mostHeld, await inState('sending'));
      return (await waiting()) === 0;
    },
    QUEUED / perSecond + 60,
  );
  assert.equal(new Set(given).size, phones.length, 'none is lost');
  assert.equal(given.length, phones.length, 'none went twice');
  assert.ok(mostHeld <= 2 * (2 * perSecond + 100), `${mostHeld} held: more than two servers can carry soon`);
  const mostWithin = (seconds: number): number =>
    Math.max(
      ...begun.map((at, first) => begun.slice(first).filter((moment) => moment < at + seconds * 1000).length),
    );
  // A turn is reserved in the database and may be used late by a busy event loop: over three seconds that evens out.
  const most = mostWithin(3);
  assert.ok(most <= 3 * perSecond * 1.1, `${most} within three seconds`);
  const took = Math.round((performance.now() - beganAt) / 1000);
  context.diagnostic(
    `${phones.length} queued, at most ${perSecond} a second: ${mostWithin(1)} in the busiest second, ${most} in the busiest three, ${mostHeld} held at most, ${took} s in all`,
  );
});
