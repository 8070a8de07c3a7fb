/**
 * What more work than a server can do does to it (R15). First what it can do: codes sent as fast as 64 connections get
 * their answers. Then three times as many are offered a second, whether or not the last ones were answered (an open
 * loop); who waits longer than two seconds has gone. Then ordinary work again: how soon that is answered as before.
 *
 * Run: node bench/overload.ts [times what it can do, 3] [seconds, 20] [longest queue in milliseconds, as by default]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { type Connection, openConnection, writeRequest } from './http-client.ts';
import { watchMemory } from './memory.ts';
import { clientLine } from './products.ts';
import { startFirstproof } from './servers.ts';
import { percentile } from './statistics.ts';

const times = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 20);
const longestQueue = process.argv[4];
const patienceMilliseconds = 2000;
const connections = 64;

/** Answers of one phase: what came in time by status, what came too late or never, and how long the good ones took. */
interface Phase {
  good: number[];
  refused: number;
  late: number;
  other: Map<number, number>;
}

let sent = 0;
/** A code for an address and from a caller that were never seen before. */
function nextRequest(): string {
  sent += 1;
  return writeRequest('POST', '/api/v1/auth/send-verification', [clientLine(sent)], {
    email: `overload-${sent}@example.net`,
  });
}

async function ask(connection: Connection, phase: Phase): Promise<boolean> {
  const begun = performance.now();
  const late = sleep(patienceMilliseconds, undefined, { ref: false });
  const answer = await Promise.race([connection.exchange(nextRequest()).catch(() => undefined), late]);
  const took = performance.now() - begun;
  if (answer === undefined) phase.late += 1;
  else if (answer.status === 200) phase.good.push(took);
  else if (answer.status === 503) phase.refused += 1;
  else phase.other.set(answer.status, (phase.other.get(answer.status) ?? 0) + 1);
  return answer !== undefined;
}

const newPhase = (): Phase => ({ good: [], refused: 0, late: 0, other: new Map() });

/** A closed loop: each connection asks again when it has its answer. */
async function work(port: number, most: number, milliseconds: number): Promise<Phase> {
  const phase = newPhase();
  const until = performance.now() + milliseconds;
  await Promise.all(
    Array.from({ length: most }, async () => {
      const connection = openConnection(port);
      while (performance.now() < until) await ask(connection, phase);
      connection.close();
    }),
  );
  return phase;
}

/** An open loop: so many a second, on as many connections as that takes. */
async function flood(port: number, perSecond: number, milliseconds: number): Promise<Phase> {
  const phase = newPhase();
  const idle: Connection[] = [];
  const open = new Set<Promise<void>>();
  const started = performance.now();
  const one = async (): Promise<void> => {
    const connection = idle.pop() ?? openConnection(port);
    if (await ask(connection, phase)) idle.push(connection);
    else connection.close();
  };
  for (let offered = 0; performance.now() - started < milliseconds; ) {
    const due = Math.floor(((performance.now() - started) / 1000) * perSecond);
    for (; offered < due; offered += 1) {
      const answer = one().finally(() => open.delete(answer));
      open.add(answer);
    }
    await sleep(2);
  }
  await Promise.all(open);
  for (const connection of idle) connection.close();
  return phase;
}

function tell(name: string, { good, refused, late, other }: Phase, milliseconds: number): void {
  const rest = [...other].map(([status, count]) => `, ${status}: ${count}`).join('');
  console.log(
    `${name.padEnd(9)} answered ${((good.length * 1000) / milliseconds).toFixed(0)}/s, p50 ${percentile(good, 0.5).toFixed(0)} ms, ` +
      `p99 ${percentile(good, 0.99).toFixed(0)} ms; refused at once ${refused}, too late ${late}${rest}`,
  );
}

const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-overload-'));
const postgres = await startEmbeddedPostgres({ dataDirectory: join(dataDirectory, 'data'), log: () => {} });
try {
  await postgres.ensureDatabase('overload');
  const server = await startFirstproof(
    postgres.url('overload'),
    longestQueue === undefined ? {} : { FIRSTPROOF_LONGEST_QUEUE_MILLISECONDS: longestQueue },
  );
  try {
    await work(server.port, connections, 3000);
    const calm = await work(server.port, 4, 3000);
    const peakMilliseconds = 10_000;
    const watchPeak = watchMemory([server.pid]);
    const peak = await work(server.port, connections, peakMilliseconds);
    const memoryAtPeak = Math.max(...watchPeak.stop().flat());
    tell('calm', calm, 3000);
    tell('peak', peak, peakMilliseconds);
    const perSecond = (peak.good.length * 1000) / peakMilliseconds;
    const watchFlood = watchMemory([server.pid]);
    const overload = await flood(server.port, perSecond * times, seconds * 1000);
    const memoryInFlood = Math.max(...watchFlood.stop().flat());
    const floodEnded = performance.now();
    tell('overload', overload, seconds * 1000);
    let well = newPhase();
    while (performance.now() - floodEnded < 30_000) {
      well = await work(server.port, 4, 250);
      const isWell =
        well.late === 0 && well.refused === 0 && percentile(well.good, 0.5) < 2 * percentile(calm.good, 0.5);
      if (isWell) break;
    }
    const recovered = (performance.now() - floodEnded) / 1000;
    const share = (overload.good.length / seconds / perSecond) * 100;
    console.log(
      `offered ${(perSecond * times).toFixed(0)}/s for ${seconds} s: ${share.toFixed(0)} % of the peak answered in time`,
    );
    console.log(
      `memory at most ${memoryAtPeak.toFixed(0)} MB at the peak, ${memoryInFlood.toFixed(0)} MB in the overload`,
    );
    console.log(`as before ${recovered.toFixed(1)} s after it`);
  } finally {
    await server.stop();
  }
} finally {
  await postgres.stop();
  await rm(dataDirectory, { recursive: true, force: true });
}
