/**
 * What a flood of password sign-ins does to everybody else: 500 a second are offered (an open loop: they come whether
 * or not the last ones were answered) while refreshes and session checks go on, and the times of these are compared
 * with a calm phase before. Memory is the server's highest resident size.
 *
 * Run: node bench/password-flood.ts [sign-ins a second, 500] [seconds, 20]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { type Connection, openConnection, writeRequest } from './http-client.ts';
import { createCodeReader } from './inbox.ts';
import { watchMemory } from './memory.ts';
import { startFirstproof } from './servers.ts';
import { tellPercentile } from './statistics.ts';

const perSecond = Number(process.argv[2] ?? 500);
const seconds = Number(process.argv[3] ?? 20);
const accounts = 20;
const password = 'violet-Harbour-42';

/** The client's address: each sign-in comes from another, as a flood does. */
const from = (number: number): string =>
  `X-Forwarded-For: 10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
const emailOf = (number: number): string => `flood-${number}@example.net`;

interface Times {
  refresh: number[];
  session: number[];
}

/** Registers, proves, and gives the tokens of a first session. */
async function enrol(port: number, number: number): Promise<{ access_token: string; refresh_token: string }> {
  const connection = openConnection(port);
  const readCode = createCodeReader();
  const email = emailOf(number);
  const sentAfter = Date.now() - 1000;
  const registered = await connection.exchange(
    writeRequest('POST', '/api/v1/auth/register', [from(number)], { email, password }),
  );
  if (registered.status !== 202) throw new Error(`register: ${registered.body}`);
  const code = await readCode(connection.exchange, email, sentAfter);
  const verified = await connection.exchange(
    writeRequest('POST', '/api/v1/auth/verify-code', [from(number)], { email, code }),
  );
  connection.close();
  if (verified.status !== 201) throw new Error(`verify: ${verified.body}`);
  return JSON.parse(verified.body) as { access_token: string; refresh_token: string };
}

/** Refreshes and session checks, fifty a second each, until told to end. */
async function observe(
  port: number,
  tokens: { access_token: string; refresh_token: string },
  ended: () => boolean,
): Promise<Times> {
  const times: Times = { refresh: [], session: [] };
  const [checks, refreshes] = [openConnection(port), openConnection(port)];
  const timed = async (list: number[], connection: Connection, request: string) => {
    const started = performance.now();
    const answer = await connection.exchange(request);
    list.push(performance.now() - started);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body}`);
    return answer;
  };
  const check = async (): Promise<void> => {
    while (!ended()) {
      const bearer = `Authorization: Bearer ${tokens.access_token}`;
      await timed(times.session, checks, writeRequest('GET', '/api/v1/auth/session', [bearer]));
      await sleep(20);
    }
  };
  const refresh = async (): Promise<void> => {
    while (!ended()) {
      const body = { refresh_token: tokens.refresh_token };
      const answer = await timed(
        times.refresh,
        refreshes,
        writeRequest('POST', '/api/v1/auth/refresh', [], body),
      );
      Object.assign(tokens, JSON.parse(answer.body));
      await sleep(20);
    }
  };
  await Promise.all([check(), refresh()]);
  checks.close();
  refreshes.close();
  return times;
}

/** Offers sign-ins at a steady rate, whatever becomes of them. */
async function flood(
  port: number,
  until: number,
): Promise<{ statuses: Map<number, number>; accepted: number[] }> {
  const statuses = new Map<number, number>();
  const accepted: number[] = [];
  const idle: Connection[] = [];
  const open = new Set<Promise<void>>();
  const started = performance.now();
  let offered = 0;
  const signIn = async (number: number): Promise<void> => {
    const connection = idle.pop() ?? openConnection(port);
    const begun = performance.now();
    const body = { email: emailOf(number % accounts), password };
    const { status } = await connection.exchange(
      writeRequest('POST', '/api/v1/auth/login', [from(1000 + number)], body),
    );
    if (status === 200) accepted.push(performance.now() - begun);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    idle.push(connection);
  };
  while (performance.now() < until) {
    const due = Math.floor(((performance.now() - started) / 1000) * perSecond);
    for (; offered < due; offered++) {
      const answer = signIn(offered).finally(() => open.delete(answer));
      open.add(answer);
    }
    await sleep(2);
  }
  await Promise.all(open);
  for (const connection of idle) connection.close();
  return { statuses, accepted };
}

function tell(phase: string, { refresh, session }: Times): void {
  for (const [name, values] of [
    ['refresh', refresh],
    ['session check', session],
  ] as const) {
    const [half, most, worst] = [
      tellPercentile(values, 0.5),
      tellPercentile(values, 0.99),
      tellPercentile(values, 1),
    ];
    console.log(
      `${phase.padEnd(6)} ${name.padEnd(14)} p50 ${half}   p99 ${most}   worst ${worst}   of ${values.length}`,
    );
  }
}

const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-flood-'));
const postgres = await startEmbeddedPostgres({ dataDirectory: join(dataDirectory, 'data'), log: () => {} });
try {
  await postgres.ensureDatabase('flood');
  const server = await startFirstproof(postgres.url('flood'));
  try {
    const tokens = await Promise.all(
      Array.from({ length: accounts }, (_, number) => enrol(server.port, number)),
    );
    const watched = tokens[0] ?? { access_token: '', refresh_token: '' };
    const memory = watchMemory([server.pid]);
    const calmUntil = performance.now() + (seconds * 1000) / 2;
    tell('calm', await observe(server.port, watched, () => performance.now() > calmUntil));
    const until = performance.now() + seconds * 1000;
    const [times, { statuses, accepted }] = await Promise.all([
      observe(server.port, watched, () => performance.now() > until),
      flood(server.port, until),
    ]);
    tell('flood', times);
    const answers = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
    console.log(`sign-ins offered ${perSecond}/s for ${seconds} s; answered ${answers}`);
    console.log(
      `signed in ${(accepted.length / seconds).toFixed(0)}/s, p99 ${tellPercentile(accepted, 0.99)}`,
    );
    console.log(`memory at most ${Math.max(...memory.stop().flat()).toFixed(0)} MB`);
  } finally {
    await server.stop();
  }
} finally {
  await postgres.stop();
  await rm(dataDirectory, { recursive: true, force: true });
}
