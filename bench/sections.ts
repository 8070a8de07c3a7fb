import { availableParallelism } from 'node:os';
import { compareMemory, compareRates, judgeStart, tellRate, withoutVerdict, type Figure } from './figures.ts';
import { fillBetterAuth, fillFirstproof, settleDatabase } from './fill.ts';
import { enrol, measure, type Contender, type Effort, type Measured } from './measure.ts';
import type { Section } from './options.ts';
import { startBetterAuth, startFirstproof, startHello, type RunningServer } from './servers.ts';
import { measureStart } from './start-time.ts';

/** What a section hands to the report. */
export interface Outcome {
  readonly figures: readonly Figure[];
  readonly measurements: readonly Measured[];
}

/** What every section works with. */
export interface Ground {
  readonly effort: Effort;
  /** The URL of an empty database of that name on the shared PostgreSQL. */
  makeDatabase(name: string): Promise<string>;
}

/** Accounts stored where the size of the tables is not what is measured. */
const fewAccounts = 1_000;

function contender(name: string, servers: readonly RunningServer[], population: number): Contender {
  const product = servers[0]?.product ?? 'hello';
  return { name, product, servers, population, credentials: [] };
}

type Pair = readonly [Measured, Measured];

/** Sign-up, sign-in and session check, side by side; memory is what was resident meanwhile. */
export async function measureRates(
  ground: Ground,
  wanted: ReadonlySet<Section>,
  sessions: number,
): Promise<Outcome> {
  const { effort } = ground;
  await using stack = new AsyncDisposableStack();
  const start = async (starting: Promise<RunningServer>): Promise<RunningServer> => {
    const server = await starting;
    stack.defer(() => server.stop());
    return server;
  };
  const peerDatabase = await ground.makeDatabase('better_auth');
  const ourDatabase = await ground.makeDatabase('firstproof');
  const ourServer = await start(startFirstproof(ourDatabase));
  const peerServer = await start(startBetterAuth(peerDatabase));
  const both = [
    await enrol(contender('Firstproof', [ourServer], sessions), effort),
    await enrol(contender('Better Auth', [peerServer], sessions), effort),
  ] as const;
  await Promise.all([ourDatabase, peerDatabase].map(settleDatabase));
  const [ours, theirs] = both;
  const figures: Figure[] = [];
  const measurements: Measured[] = [];
  const keep = <T extends readonly Measured[]>(measured: T): T => {
    measurements.push(...measured);
    return measured;
  };
  if (wanted.has('session-check')) {
    const hello = {
      ...ours,
      ...contender('bare hello', [await start(startHello())], 0),
      credentials: ours.credentials,
    };
    const quickServer = await start(startBetterAuth(peerDatabase, 'fastest'));
    const fastest = await enrol(contender('Better Auth, cached', [quickServer], sessions), effort);
    const [our, their, bare, quick] = keep(
      await measure('session-check', [ours, theirs, hello, fastest], effort),
    );
    if (our && their && bare && quick) {
      figures.push(
        compareRates('session check', our, their, 15),
        compareRates('session check', our, bare, 0.6),
      );
      figures.push(
        tellRate('session check, the peer answering from a cookie (ended sessions live on)', our, quick),
      );
    }
  }
  if (wanted.has('sign-up')) {
    const [our, their] = keep((await measure('sign-up', both, effort)) as unknown as Pair);
    figures.push(compareRates('sign-up (send + verify, new account)', our, their, 10));
  }
  if (wanted.has('sign-in')) {
    const [our, their] = keep((await measure('sign-in', both, effort)) as unknown as Pair);
    figures.push(compareRates('returning sign-in (send + verify)', our, their, 8));
  }
  if (wanted.has('refresh')) {
    const [our] = keep(await measure('refresh', [ours], effort));
    if (our) figures.push(tellRate('refresh (a new pair of tokens)', our));
  }
  if (wanted.has('sign-up-phone')) {
    const [our] = keep(await measure('sign-up-phone', [ours], effort));
    if (our) figures.push(tellRate('sign-up by phone', our));
  }
  const named = (name: string): Measured[] => measurements.filter((measured) => measured.name === name);
  figures.push(compareMemory(named('Firstproof'), named('Better Auth')));
  return { figures, measurements };
}

/** Two server processes on one database against one. */
export async function measureProcesses(ground: Ground, sessions: number): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const database = await ground.makeDatabase('firstproof_processes');
  const first = await startFirstproof(database);
  stack.defer(() => first.stop());
  const second = await startFirstproof(database);
  stack.defer(() => second.stop());
  const one = await enrol(contender('one process', [first], sessions), ground.effort);
  await settleDatabase(database);
  const two = {
    ...one,
    ...contender('two processes', [first, second], sessions),
    credentials: one.credentials,
  };
  const signIn = (await measure('sign-in', [one, two], ground.effort)) as unknown as Pair;
  const session = (await measure('session-check', [one, two], ground.effort)) as unknown as Pair;
  const cores = availableParallelism();
  const judge = (figure: Figure): Figure =>
    // Client, PostgreSQL and two servers need a core each before a second server can add anything.
    cores >= 4 ? figure : withoutVerdict(figure, `not judged on ${cores} cores`);
  return {
    figures: [
      judge(compareRates('two processes on one database, sign-in', signIn[1], signIn[0], 1.6)),
      judge(compareRates('two processes on one database, session check', session[1], session[0], 1.6)),
    ],
    measurements: [...signIn, ...session],
  };
}

/** Sign-in with many accounts stored against 1,000. */
export async function measureUsers(ground: Ground, users: number): Promise<Outcome> {
  const { effort } = ground;
  const prepare = async (
    stack: AsyncDisposableStack,
    accounts: number,
    product: 'firstproof' | 'better_auth',
  ): Promise<Contender> => {
    const database = await ground.makeDatabase(`${product}_${accounts}`);
    const server = await (product === 'firstproof' ? startFirstproof : startBetterAuth)(database);
    stack.defer(() => server.stop());
    effort.progress(`storing ${accounts.toLocaleString('en-US')} accounts in ${product}`);
    await (product === 'firstproof' ? fillFirstproof : fillBetterAuth)(database, accounts);
    // Statistics of tables that nobody has used yet would say that they stay empty, and plans would be made for that.
    await enrol(contender(product, [server], fewAccounts), effort);
    await settleDatabase(database);
    const name = product === 'firstproof' ? 'Firstproof' : 'Better Auth';
    return contender(`${name}, ${accounts.toLocaleString('en-US')} accounts`, [server], accounts);
  };
  const figures: Figure[] = [];
  const measurements: Measured[] = [];
  for (const product of ['firstproof', 'better_auth'] as const) {
    await using stack = new AsyncDisposableStack();
    const sides = [await prepare(stack, fewAccounts, product), await prepare(stack, users, product)];
    const [few, many] = (await measure('sign-in', sides, effort)) as unknown as Pair;
    measurements.push(few, many);
    if (product === 'firstproof') {
      figures.push(
        compareRates(`sign-in with ${users.toLocaleString('en-US')} accounts stored`, many, few, 0.9),
      );
    }
  }
  return { figures, measurements };
}

/** `npm start` on an empty data folder, and again. */
export async function measureStarts(effort: Effort): Promise<Outcome> {
  const times = await measureStart(effort.rounds, effort.progress);
  return { figures: judgeStart(times), measurements: [] };
}
