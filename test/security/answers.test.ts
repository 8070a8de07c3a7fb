import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type RequestOptions, type TestApp } from '../create-test-app.ts';
import {
  difference,
  setErrorDetail,
  type State,
  states,
  WRONG_PASSWORD as password,
  writePeople,
} from './people.ts';

const V1 = '/api/v1/auth';
let app: TestApp;
before(async () => {
  app = await createTestApp({ env: { FIRSTPROOF_BUDGETS: 'relaxed' } });
});
after(() => app.close());

/** One who asks about an address, and what was answered so far. */
interface Asker {
  email: string;
  options: RequestOptions;
  answers: Answer[];
}

interface Step {
  /** Seconds that pass before it. */
  after?: number;
  ask: (asker: Asker) => Promise<Answer>;
}

const call =
  (path: string, body: Record<string, unknown> = {}): Step['ask'] =>
  ({ email, options }) =>
    app.post(path, { email, ...body }, options);

const handleOf = ({ answers }: Asker): string | undefined => {
  const { verification_id: handle, data } = answers[0]?.body ?? {};
  return handle ?? data?.verification_id;
};
const byHandle =
  (path: string, body: Record<string, unknown> = {}): Step['ask'] =>
  (asker) =>
    app.post(path, { verification_id: handleOf(asker) ?? 'none', ...body }, asker.options);
const status: Step['ask'] = (asker) =>
  app.get(`${V1}/verifications/${handleOf(asker) ?? 'none'}`, asker.options);

/** What a stranger does next with what a first call has answered. */
const follow = (prefix: string, verify: string): Step[] => [
  { ask: status },
  { ask: byHandle(`${prefix}/${verify}`, { [verify === 'verify-otp' ? 'otp' : 'code']: '000000' }) },
  { ask: byHandle(`${prefix}/resend-otp`) },
  { after: 61, ask: byHandle(`${prefix}/resend-otp`) },
  { ask: status },
];

/** Every way to ask about an address, each with what may follow. */
const WAYS: Readonly<Record<string, readonly Step[]>> = {
  'send-verification': [{ ask: call(`${V1}/send-verification`) }, ...follow(V1, 'verify-code')],
  'send-verification twice': [
    { ask: call(`${V1}/send-verification`) },
    { ask: call(`${V1}/send-verification`) },
    { after: 61, ask: call(`${V1}/send-verification`) },
  ],
  'resend-otp by the address': [
    { ask: call(`${V1}/resend-otp`) },
    { ask: call(`${V1}/resend-otp`) },
    { after: 61, ask: call(`${V1}/resend-otp`) },
  ],
  'verify-code by the address': [
    { ask: call(`${V1}/verify-code`, { code: '000000' }) },
    { ask: call(`${V1}/send-verification`) },
    { ask: call(`${V1}/verify-code`, { code: '000000' }) },
  ],
  register: [{ ask: call(`${V1}/register`, { password }) }, ...follow(V1, 'verify-code')],
  'register without a password': [{ ask: call(`${V1}/register`) }, ...follow(V1, 'verify-code')],
  'register, then verify-code by the address': [
    { ask: call(`${V1}/register`, { password }) },
    { ask: call(`${V1}/verify-code`, { code: '000000' }) },
    { ask: call(`${V1}/register`, { password }) },
  ],
  login: [{ ask: call(`${V1}/login`, { password }) }, ...follow(V1, 'verify-code')],
  'login again and again': [1, 2, 3].map(() => ({ ask: call(`${V1}/login`, { password }) })),
  'forgot-password': [{ ask: call(`${V1}/forgot-password`) }, ...follow(V1, 'verify-code')],
  'forgot-password, then verify-code by the address': [
    { ask: call(`${V1}/forgot-password`) },
    { ask: call(`${V1}/verify-code`, { code: '000000' }) },
  ],
  'enveloped register': [
    { ask: call('/api/auth/register', { password }) },
    ...follow('/api/auth', 'verify-otp'),
  ],
  'enveloped login': [{ ask: call('/api/auth/login', { password }) }, ...follow('/api/auth', 'verify-otp')],
  'enveloped forgot-password': [
    { ask: call('/api/auth/forgot-password') },
    ...follow('/api/auth', 'verify-otp'),
  ],
  'enveloped resend-otp by the address': [
    { ask: call('/api/auth/resend-otp') },
    { ask: call('/api/auth/verify-otp', { otp: '000000' }) },
    { after: 61, ask: call('/api/auth/resend-otp') },
  ],
  'linking the address to an account of one’s own': [
    { ask: call(`${V1}/identities`) },
    { ask: status },
    { ask: byHandle(`${V1}/verify-code`, { code: '000000' }) },
    { ask: call(`${V1}/identities`) },
  ],
};

/** Explicit tenants tell how a code really travels, which takes as long as it takes. */
let travelsOpenly = false;

/** What a stranger sees of an answer; random parts and the address itself stand for themselves. */
function visible(answer: Answer, email: string): unknown {
  const headers = [...answer.headers].filter(([name]) => name !== 'date' && name !== 'content-length');
  const { body } = answer;
  const text = JSON.stringify(travelsOpenly ? { ...body, state: undefined } : body)
    .replaceAll(email, '<address>')
    .replaceAll(/"(verification_id)":"([^"]+)"/g, (_all, name, value: string) => `"${name}":${value.length}`)
    .replaceAll(/"(nonce|salt|signature|challenge|caller)":"[^"]+"/g, '"$1":"<random>"');
  return {
    status: answer.status,
    headers,
    size: travelsOpenly ? 0 : answer.headers.get('content-length'),
    text,
  };
}

let counter = 0;
/** Asks about one address of each state, step by step. */
async function askAll(way: readonly Step[]): Promise<Map<State, Asker>> {
  counter++;
  const askers = new Map<State, Asker>();
  for (const [index, state] of states.entries()) {
    // Names of one length, so that masked addresses look alike.
    const email = `p${String(counter).padStart(3, '0')}${index}@example.net`;
    await writePeople(app, state, [email]);
    const from = `198.51.${counter}.${index + 1}`;
    const own = await app.signIn({
      phone: `+44207183${counter % 10}${index}${String(counter).padStart(2, '0')}`,
    });
    askers.set(state, { email, options: { from, token: own.body.access_token }, answers: [] });
  }
  for (const { after: seconds, ask } of way) {
    if (seconds !== undefined) app.clock.advance(seconds);
    // At once: nobody's answer depends on when it came, and a minute is saved.
    await Promise.all([...askers.values()].map(async (asker) => asker.answers.push(await ask(asker))));
  }
  app.clock.advance(61);
  return askers;
}

/** What of these ways tells one state of an address from another. */
async function findTelling(): Promise<string[]> {
  const told: string[] = [];
  for (const [name, way] of Object.entries(WAYS)) {
    const askers = await askAll(way);
    const nobody = askers.get('nobody');
    assert.ok(nobody);
    // What is refused at the door is alike for everybody and shows nothing.
    const [first] = nobody.answers;
    const isOpen = name.startsWith('verify-code') || [200, 202, 401].includes(first?.status ?? 0);
    assert.ok(isOpen, `${name}: ${JSON.stringify(first?.body)}`);
    for (const [state, asker] of askers) {
      for (const [step, answer] of asker.answers.entries()) {
        const other = nobody.answers[step] as Answer;
        assert.ok(answer.status < 500, `${name} ${state} ${step}: ${JSON.stringify(answer.body)}`);
        const [seen, expected] = [visible(answer, asker.email), visible(other, nobody.email)];
        if (JSON.stringify(seen) !== JSON.stringify(expected)) {
          told.push(
            `${name}, step ${step}, ${state}: ${difference(JSON.stringify(seen), JSON.stringify(expected))}`,
          );
        }
      }
    }
  }
  return told;
}

for (const detail of ['uniform', 'after_proof'] as const) {
  test(`S22 ${detail}: whatever a stranger asks about an address, in any order, tells nothing of it`, async () => {
    await setErrorDetail(app, detail);
    assert.deepEqual(await findTelling(), []);
  });
}

test('S22 explicit: each first answer names the case, and only these differ', async () => {
  await setErrorDetail(app, 'explicit');
  const first = async (name: string): Promise<Record<string, string>> => {
    const askers = await askAll(WAYS[name] ?? []);
    return Object.fromEntries(
      [...askers].map(([state, { answers }]) => [
        state,
        `${answers[0]?.status} ${answers[0]?.body.error ?? ''}`.trim(),
      ]),
    );
  };
  const everybody = (answer: string) => Object.fromEntries(states.map((state) => [state, answer]));
  const table: Record<string, Record<string, string>> = {
    'send-verification': everybody('200'),
    login: {
      known: '401 INVALID_CREDENTIALS',
      closed: '401 INVALID_CREDENTIALS',
      imported: '401 ACCOUNT_NOT_VERIFIED',
      waiting: '401 ACCOUNT_NOT_VERIFIED',
      nobody: '404 ACCOUNT_NOT_FOUND',
    },
    register: {
      ...everybody('202'),
      known: '409 ALREADY_REGISTERED',
      closed: '409 ALREADY_REGISTERED',
    },
    'forgot-password': {
      ...everybody('200'),
      closed: '403 ACCOUNT_DISABLED',
      waiting: '404 ACCOUNT_NOT_FOUND',
      nobody: '404 ACCOUNT_NOT_FOUND',
    },
    'resend-otp by the address': { ...everybody('200'), nobody: '404 VERIFICATION_NOT_FOUND' },
    'verify-code by the address': everybody('404 VERIFICATION_NOT_FOUND'),
  };
  const seen: Record<string, Record<string, string>> = {};
  for (const name of Object.keys(table)) seen[name] = await first(name);
  for (const [plain, enveloped] of [
    ['login', 'enveloped login'],
    ['register', 'enveloped register'],
    ['forgot-password', 'enveloped forgot-password'],
    ['resend-otp by the address', 'enveloped resend-otp by the address'],
  ] as const) {
    assert.deepEqual(await first(enveloped), seen[plain], enveloped);
  }
  assert.deepEqual(seen, table);
});

test('S22 uniform: somebody who may add no more addresses learns nothing of others', async () => {
  await setErrorDetail(app, 'uniform');
  const { body } = await app.signIn({ email: 'ten@example.net' });
  const { sql } = app.databases.control;
  await sql`
    insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
    select tenant_id, 'email', n || '-more@example.net', gen_random_uuid(), user_id, n || '-more@example.net',
      verified_at, created_at
    from identities, generate_series(1, 9) n where value = 'ten@example.net'`;
  const askers: string[] = [];
  for (const state of states) {
    const email = `one-more-${state}@example.net`;
    await writePeople(app, state, [email]);
    const answer = await app.post(`${V1}/identities`, { email }, { token: body.access_token });
    askers.push(`${answer.status} ${answer.body.error}`);
  }
  assert.deepEqual(new Set(askers), new Set(['429 RATE_LIMITED']));
});

test('S22 explicit, past its budget: nothing is told any more, whatever is asked', async () => {
  const usual = app;
  travelsOpenly = true;
  app = await createTestApp({
    env: { FIRSTPROOF_BUDGETS: 'relaxed', FIRSTPROOF_EXPLICIT_ANSWERS_PER_CALLER_PER_HOUR: '0' },
  });
  try {
    assert.deepEqual(await findTelling(), []);
  } finally {
    await app.close();
    app = usual;
    travelsOpenly = false;
  }
});
