/**
 * Does the time of an answer tell, in uniform mode, what stands behind an address? For each call, fresh addresses of
 * every kind are asked about in random order, and each kind is compared with "nobody": the area under the curve of a
 * Mann–Whitney test, 0.5 being a coin toss. Nothing is judged here: a busy machine moves every figure.
 *
 * Run: node test/security/timing.ts [samples a case, 1000] [names of calls, all]
 */
import { randomInt } from 'node:crypto';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { inParallel } from '../attacks/target.ts';
import { globalSetup, globalTeardown } from '../global-setup.ts';
import { type State, states, WRONG_PASSWORD, writePeople } from './people.ts';

const V1 = '/api/v1/auth';

/** A question that is timed, and what is asked before it without being timed, for its handle. */
interface Call {
  before?: (email: string) => [string, object];
  ask: (email: string, handle: string) => [string, object];
}

const login = (email: string): [string, object] => [`${V1}/login`, { email, password: WRONG_PASSWORD }];
const forgot = (email: string): [string, object] => [`${V1}/forgot-password`, { email }];
const register = (email: string): [string, object] => [`${V1}/register`, { email, password: WRONG_PASSWORD }];
const send = (email: string): [string, object] => [`${V1}/send-verification`, { email }];
const code = '000000';
const calls: Record<string, Call> = {
  send: { ask: send },
  resend: { ask: (email) => [`${V1}/resend-otp`, { email }] },
  verify: { ask: (email) => [`${V1}/verify-code`, { email, code }] },
  register: { ask: register },
  'register-bare': { ask: (email) => [`${V1}/register`, { email }] },
  login: { ask: login },
  forgot: { ask: forgot },
  'verify-forgot': {
    before: forgot,
    ask: (_email, id) => [`${V1}/verify-code`, { verification_id: id, code }],
  },
  'verify-login': {
    before: login,
    ask: (_email, id) => [`${V1}/verify-code`, { verification_id: id, code }],
  },
  'verify-register': {
    before: register,
    ask: (_email, id) => [`${V1}/verify-code`, { verification_id: id, code }],
  },
  'resend-forgot': { before: forgot, ask: (_email, id) => [`${V1}/resend-otp`, { verification_id: id }] },
  'status-forgot': { before: forgot, ask: (_email, id) => [`${V1}/verifications/${id}`, {}] },
  'enveloped-login': { ask: (email) => ['/api/auth/login', { email, password: WRONG_PASSWORD }] },
  'enveloped-forgot': { ask: (email) => ['/api/auth/forgot-password', { email }] },
  linking: { ask: (email) => [`${V1}/identities`, { email }] },
};
/** Questions under way at once: answers that wait for an even time would take hours one after the other. */
const LANES = 6;
const samples = Number(process.argv[2] ?? 1000);
const wanted = process.argv.slice(3);

function addressOf(name: string, state: State, index: number): string {
  return `${name}-${index}-${state.slice(0, 2)}@example.net`;
}

/** All questions of a call in random order (Fisher and Yates). */
function shuffled(): { state: State; index: number }[] {
  const order = states.flatMap((state) => Array.from({ length: samples }, (_, index) => ({ state, index })));
  for (let last = order.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** The chance that a value of `left` is above one of `right`. */
function areaUnderCurve(left: readonly number[], right: readonly number[]): number {
  let above = 0;
  for (const one of left) for (const other of right) above += one > other ? 1 : one === other ? 0.5 : 0;
  return above / (left.length * right.length);
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

async function measure(app: TestApp, name: string, call: Call): Promise<void> {
  for (const state of states) {
    const emails = Array.from({ length: samples }, (_, index) => addressOf(name, state, index));
    await writePeople(app, state, emails);
  }
  const times = Object.fromEntries(states.map((state) => [state, [] as number[]])) as Record<State, number[]>;
  const statuses = new Map<number, number>();
  let linker: Promise<string> | undefined;
  await inParallel(shuffled(), LANES, async ({ state, index }, asked) => {
    const email = addressOf(name, state, index);
    const from = `10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`;
    // Linking wants somebody signed in whose proof is young.
    if (name === 'linking' && asked % 5 === 0) linker = newPerson(app, asked);
    const token = await linker;
    let handle = '';
    if (call.before) {
      const [path, body] = call.before(email);
      const answer = await app.post(path, body, { from });
      handle = answer.body.verification_id;
      app.clock.advance(61);
    }
    const [path, body] = call.ask(email, handle);
    const method = path.includes('/verifications/') ? 'GET' : 'POST';
    const started = performance.now();
    const { status } = await app.request(method, path, method === 'GET' ? undefined : body, { from, token });
    times[state].push(performance.now() - started);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
  for (const state of states) {
    const area = areaUnderCurve(times[state], times.nobody);
    console.log(
      `${name.padEnd(16)} ${state.padEnd(8)} median ${median(times[state]).toFixed(2)} ms   against nobody: AUC ${area.toFixed(3)}   statuses ${JSON.stringify([...statuses])}`,
    );
  }
}

async function newPerson(app: TestApp, index: number): Promise<string> {
  const { body } = await app.signIn({ email: `linker-${index}@example.org` });
  return body.access_token as string;
}

await globalSetup();
try {
  const app = await createTestApp({
    env: { FIRSTPROOF_BUDGETS: 'relaxed' },
    tenants: { default: { error_detail: 'uniform' } },
  });
  for (let warm = 0; warm < 50; warm++) {
    for (const name of ['login', 'register', 'forgot', 'send', 'resend', 'verify']) {
      const [path, body] = calls[name]?.ask(`warm-${name}-${warm}@example.net`, '') ?? ['', {}];
      await app.post(path, body, { from: `192.0.2.${warm}` });
    }
  }
  for (const [name, call] of Object.entries(calls)) {
    if (wanted.length === 0 || wanted.includes(name)) await measure(app, name, call);
  }
  await app.close();
} finally {
  await globalTeardown();
}
