/**
 * Whether a server that runs for long grows (R16). People sign up, come back, renew their sessions, are checked and
 * sign out, so many a second, for as long as one likes. Told every minute and at the end: resident memory and its slope
 * (least squares, the first quarter left out: until then caches fill), open files, and messages that wait.
 *
 * Run: node bench/soak.ts [minutes, 240] [flows a second, 25]
 */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { type Connection, openConnection, writeRequest } from './http-client.ts';
import { createCodeReader } from './inbox.ts';
import { watchMemory } from './memory.ts';
import { clientLine, products } from './products.ts';
import { startFirstproof } from './servers.ts';
import { median } from './statistics.ts';

const minutes = Number(process.argv[2] ?? 240);
const perSecond = Number(process.argv[3] ?? 25);
const RETURNING = 500;

interface Sample {
  hours: number;
  megabytes: number;
  files: number;
}

/** One person's visit. Throws when any answer is another than it should be. */
async function visit({ exchange }: Connection, n: number): Promise<void> {
  const isNew = n % 3 === 0;
  const email = isNew ? `soak-${n}@example.net` : `soak-returning-${n % RETURNING}@example.net`;
  const headers = [clientLine(n)];
  const session = await products.firstproof.signIn(exchange, createCodeReader(), email, n, 'either');
  const expect = async (status: number, request: string): Promise<string> => {
    const answer = await exchange(request);
    if (answer.status !== status) throw new Error(`${answer.status}: ${answer.body.slice(0, 200)}`);
    return answer.body;
  };
  await expect(200, products.firstproof.sessionRequest(session));
  const refresh_token = session.refreshToken;
  const renewed = await expect(200, writeRequest('POST', '/api/v1/auth/refresh', headers, { refresh_token }));
  const { access_token } = JSON.parse(renewed) as { access_token: string };
  const bearer = [...headers, `authorization: Bearer ${access_token}`];
  await expect(200, writeRequest('GET', '/api/v1/auth/me', bearer));
  if (n % 2 === 0) await expect(200, writeRequest('POST', '/api/v1/auth/logout', bearer));
}

/** Megabytes an hour by least squares over all but the first quarter. */
function slope(samples: readonly Sample[]): number {
  const settled = samples.slice(Math.floor(samples.length / 4));
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const hours = mean(settled.map((sample) => sample.hours));
  const megabytes = mean(settled.map((sample) => sample.megabytes));
  const shared = settled.reduce((sum, one) => sum + (one.hours - hours) * (one.megabytes - megabytes), 0);
  return shared / settled.reduce((sum, one) => sum + (one.hours - hours) ** 2, 0);
}

const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-soak-'));
const database = await startEmbeddedPostgres({ dataDirectory: join(dataDirectory, 'data'), log: () => {} });
try {
  await database.ensureDatabase('soak');
  const url = database.url('soak');
  const server = await startFirstproof(url);
  const sql = postgres(url, { max: 1 });
  try {
    const idle: Connection[] = [];
    const faults: string[] = [];
    const samples: Sample[] = [];
    const started = performance.now();
    const until = started + minutes * 60_000;
    let begun = 0;
    let done = 0;
    const one = async (n: number): Promise<void> => {
      const connection = idle.pop() ?? openConnection(server.port);
      try {
        await visit(connection, n);
        done += 1;
        idle.push(connection);
      } catch (error) {
        faults.push(String(error));
        connection.close();
      }
    };
    const look = async (): Promise<void> => {
      while (performance.now() < until) {
        const memory = watchMemory([server.pid]);
        await sleep(Math.min(60_000, until - performance.now()));
        const megabytes = median(memory.stop().flat());
        const files = readdirSync(`/proc/${server.pid}/fd`).length;
        const [row] =
          await sql`select count(*)::int as waiting from messages where state in ('queued', 'sending')`;
        const hours = (performance.now() - started) / 3_600_000;
        samples.push({ hours, megabytes, files });
        console.log(
          `${(hours * 60).toFixed(0).padStart(4)} min  ${done} visits, ${faults.length} faults  ${megabytes.toFixed(0)} MB  ${files} files  ${row?.['waiting']} messages wait`,
        );
      }
    };
    const looking = look();
    while (performance.now() < until) {
      for (const due = ((performance.now() - started) / 1000) * perSecond; begun < due; begun += 1)
        void one(begun);
      await sleep(10);
    }
    await looking;
    console.log(`${done} visits, ${faults.length} faults${faults[0] ? `, the first: ${faults[0]}` : ''}`);
    const files = samples.map((sample) => sample.files);
    console.log(
      `memory grows by ${slope(samples).toFixed(1)} MB an hour; files ${Math.min(...files)} to ${Math.max(...files)}`,
    );
    for (const connection of idle) connection.close();
  } finally {
    await sql.end();
    await server.stop();
  }
} finally {
  await database.stop();
  await rm(dataDirectory, { recursive: true, force: true });
}
