/**
 * How soon a code is on its way, and what a provider that hangs does to everybody.
 *
 * First 200 codes a second are asked for (an open loop: they come whether or not the last ones were answered), and the
 * time from the commit of each (PostgreSQL's own `pg_xact_commit_timestamp`) to its arrival at the provider's socket
 * is measured. Then the provider hangs while codes go on being asked for at a quarter of that rate: what the requests
 * take, when the next channel has each code, and how soon the provider carries again once it is back.
 *
 * Run: node bench/delivery.ts [sends a second, 200] [seconds, 20] [seconds of hanging, 60]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import type { Arrivals } from './gateway.ts';
import { type Connection, openConnection, writeRequest } from './http-client.ts';
import { type RunningServer, startFirstproof } from './servers.ts';
import { tellPercentile } from './statistics.ts';

const perSecond = Number(process.argv[2] ?? 200);
const seconds = Number(process.argv[3] ?? 20);
const hangSeconds = Number(process.argv[4] ?? 60);

interface Sent {
  phone: string;
  /** When it was asked for, milliseconds since 1970, and how long the answer took. */
  at: number;
  took: number;
  status: number;
}

interface Gateway {
  process: ChildProcess;
  port: number;
  tell(word: 'hang' | 'answer'): void;
  /** What has arrived since the last report. */
  report(): Promise<Map<string, number>>;
}

const now = (): number => performance.timeOrigin + performance.now();

const spread = (values: readonly number[]): string =>
  `p50 ${tellPercentile(values, 0.5)}   p99 ${tellPercentile(values, 0.99)}   worst ${tellPercentile(values, 1)}   of ${values.length}`;

async function startGateway(): Promise<Gateway> {
  const child = fork(join(import.meta.dirname, 'gateway.ts'));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    process: child,
    port,
    tell: (word) => child.send(word),
    async report() {
      child.send('report');
      const [{ arrived }] = (await once(child, 'message')) as [Arrivals];
      const first = new Map<string, number>();
      for (const [phone, at] of arrived) if (!first.has(phone)) first.set(phone, at);
      return first;
    },
  };
}

let people = 0;

/** Asks for codes at a steady rate, whatever becomes of them, until told to end. */
async function offer(port: number, rate: number, ended: () => boolean): Promise<Sent[]> {
  const sent: Sent[] = [];
  const idle: Connection[] = [];
  const open = new Set<Promise<void>>();
  const send = async (): Promise<void> => {
    const number = people++;
    const phone = `+1${415 + (number % 5)}${String(2_000_000 + number)}`;
    const from = `X-Forwarded-For: 10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    const connection = idle.pop() ?? openConnection(port);
    const at = now();
    const request = writeRequest('POST', '/api/v1/auth/send-verification', [from], { phone });
    const { status } = await connection.exchange(request);
    sent.push({ phone, at, took: now() - at, status });
    idle.push(connection);
  };
  const started = performance.now();
  for (let offered = 0; !ended(); await sleep(2)) {
    const due = Math.floor(((performance.now() - started) / 1000) * rate);
    for (; offered < due; offered++) {
      const answer = send().finally(() => open.delete(answer));
      open.add(answer);
    }
  }
  await Promise.all(open);
  for (const connection of idle) connection.close();
  return sent;
}

const during = (length: number): (() => boolean) => {
  const until = performance.now() + length * 1000;
  return () => performance.now() > until;
};

const tookOf = (sent: readonly Sent[]): number[] => sent.map(({ took }) => took);

async function measureWay(server: RunningServer, sms: Gateway, sql: postgres.Sql): Promise<void> {
  await offer(server.port, perSecond, during(3));
  await sms.report();
  const sent = await offer(server.port, perSecond, during(seconds));
  await sleep(2000);
  const arrivals = await sms.report();
  const commits = await sql<{ phone: string; at: number }[]>`
    select value as phone, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as at from verifications
    where value = any(${sent.map(({ phone }) => phone)})`;
  const ways = commits.flatMap(({ phone, at }) => {
    const arrivedAt = arrivals.get(phone);
    return arrivedAt === undefined ? [] : [arrivedAt - at];
  });
  const good = sent.filter(({ status }) => status === 200);
  console.log(`${perSecond} sends/s for ${seconds} s: ${good.length} of ${sent.length} answered 200`);
  console.log(`commit to the provider's socket   ${spread(ways)}`);
  console.log(`send-verification                 ${spread(tookOf(sent))}`);
}

async function measureHang(server: RunningServer, sms: Gateway, voice: Gateway): Promise<void> {
  const rate = perSecond / 4;
  const calm = await offer(server.port, rate, during(Math.min(10, hangSeconds)));
  sms.tell('hang');
  await Promise.all([sms.report(), voice.report()]);
  const sent = await offer(server.port, rate, during(hangSeconds));
  sms.tell('answer');
  const backAt = now();
  const [reached, calls] = await Promise.all([sms.report(), voice.report()]);
  const late = new Map<string, number>();
  let carriesAt: number | undefined;
  const watch = async (): Promise<void> => {
    while (carriesAt === undefined && now() - backAt < 120_000) {
      await sleep(200);
      const arrivals = await sms.report();
      for (const [phone, at] of arrivals) late.set(phone, at);
      // Not the probe, and not what had waited: everything goes there again.
      if (arrivals.size >= rate / 10) carriesAt = now();
    }
  };
  const watched = watch();
  const after = await offer(server.port, rate, () => carriesAt !== undefined || now() - backAt > 120_000);
  await watched;
  await sleep(12_000);
  for (const gateway of [sms, voice]) for (const [phone, at] of await gateway.report()) late.set(phone, at);
  // What it swallowed at the end of its time it may get once more, now that it is back.
  const waits = sent.flatMap(({ phone, at, took }) => {
    const arrivedAt = calls.get(phone) ?? late.get(phone);
    return arrivedAt === undefined ? [] : [arrivedAt - at - took];
  });
  const lost = sent.filter(({ phone, status }) => status === 200 && !calls.has(phone) && !late.has(phone));
  const began = sent[0]?.at ?? 0;
  const settled = sent.flatMap(({ phone, at, took }) => {
    const arrivedAt = calls.get(phone);
    return at - began > 15_000 && arrivedAt !== undefined ? [arrivedAt - at - took] : [];
  });
  console.log(`\nthe SMS provider hangs for ${hangSeconds} s, ${rate} sends/s`);
  console.log(`send-verification, calm           ${spread(tookOf(calm))}`);
  console.log(`send-verification, while it hangs ${spread(tookOf(sent))}`);
  console.log(`send-verification, when it is back ${spread(tookOf(after))}`);
  console.log(`reached the hanging provider      ${reached.size} of ${sent.length}`);
  console.log(`answer to a provider that takes it ${spread(waits)}`);
  console.log(`  after the first 15 s            ${spread(settled)}`);
  console.log(`codes that no provider took       ${lost.length}`);
  const carries = carriesAt === undefined ? 'not within 120' : ((carriesAt - backAt) / 1000).toFixed(1);
  console.log(`it carries again after            ${carries} s`);
}

/** A gateway as the server is told of it. */
async function describe(folder: string, channel: string, port: number): Promise<string> {
  const path = join(folder, `${channel}.json`);
  const recipe = {
    name: `bench-${channel}`,
    channels: [channel],
    limits: { concurrency: 200 },
    send: { method: 'POST', url: `http://127.0.0.1:${port}/`, json: { to: '{{to}}', text: '{{text}}' } },
    success: { status: [200] },
  };
  await writeFile(path, JSON.stringify(recipe));
  return path;
}

await using stack = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'firstproof-delivery-'));
stack.defer(() => rm(folder, { recursive: true, force: true }));
const settings = { track_commit_timestamp: 'on' };
const cluster = await startEmbeddedPostgres({ dataDirectory: join(folder, 'data'), log: () => {}, settings });
stack.defer(() => cluster.stop());
await cluster.ensureDatabase('delivery');
const gateways = await Promise.all([startGateway(), startGateway()]);
stack.defer(() => gateways.forEach((gateway) => gateway.process.disconnect()));
const [sms, voice] = gateways;
const recipes = [await describe(folder, 'sms', sms.port), await describe(folder, 'voice', voice.port)];
const url = cluster.url('delivery');
// The first start makes the tenants.
await (await startFirstproof(url)).stop();
const sql = postgres(url, { max: 1 });
stack.defer(() => sql.end());
const routes = {
  channels: ['sms', 'voice'],
  delivery: { routes: { default: ['sms', 'voice'] }, next_channel_after_seconds: 0 },
};
await sql`update tenants set settings = settings || ${sql.json(routes)} where slug = 'us'`;
const server = await startFirstproof(url, { FIRSTPROOF_SMS_GATEWAY: recipes.join(',') });
stack.defer(() => server.stop());
await measureWay(server, sms, sql);
if (hangSeconds > 0) await measureHang(server, sms, voice);
