/**
 * Does the time of an answer tell, in uniform mode, what stands behind an address? For each call, fresh addresses of
 * every kind are asked about in random order, and each kind is compared with "nobody": the area under the curve of a
 * Mann–Whitney test, 0.5 being a coin toss. Nothing is judged here: a busy machine moves every figure.
 *
 * Run: node test/security/timing.ts [samples a case, 1000]
 */
import { randomInt, randomUUID } from 'node:crypto';
import { hash as argon2 } from '@node-rs/argon2';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { globalSetup, globalTeardown } from '../global-setup.ts';

const states = ['known', 'closed', 'waiting', 'nobody'] as const;
type State = (typeof states)[number];
const calls: Record<string, (email: string) => [string, object]> = {
  login: (email) => ['login', { email, password: 'amber-Lantern-77' }],
  'forgot-password': (email) => ['forgot-password', { email }],
  register: (email) => ['register', { email, password: 'amber-Lantern-77' }],
};
const samples = Number(process.argv[2] ?? 1000);

function addressOf(call: string, state: State, index: number): string {
  return `${call}-${index}-${state.slice(0, 2)}@example.net`;
}

/** People of one state, written as they would stand in the database after their sign-up. */
async function prepare(app: TestApp, call: string, state: State): Promise<void> {
  if (state === 'nobody') return;
  const { sql } = app.databases.control;
  const tenantId = app.app.tenants.bySlug('default')?.id ?? '';
  const now = app.clock.now();
  const passwordHash = await argon2('violet-Harbour-42');
  const emails = Array.from({ length: samples }, (_, index) => addressOf(call, state, index));
  const expiresAt = new Date(now.getTime() + 86_000_000);
  await Promise.all(
    emails.map(async (value) => {
      const id = randomUUID();
      if (state === 'waiting') {
        await sql`
          insert into pending_registrations (tenant_id, id, kind, value, password_hash, created_at, updated_at, expires_at)
          values (${tenantId}, ${id}, 'email', ${value}, ${passwordHash}, ${now}, ${now}, ${expiresAt})`;
        return;
      }
      await sql`
        insert into users (tenant_id, id, password_hash, is_verified, is_disabled, created_at, updated_at)
        values (${tenantId}, ${id}, ${passwordHash}, true, ${state === 'closed'}, ${now}, ${now})`;
      await sql`
        insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
        values (${tenantId}, 'email', ${value}, ${randomUUID()}, ${id}, ${value}, ${now}, ${now})`;
    }),
  );
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
  const all = [
    ...left.map((value) => ({ value, isLeft: true })),
    ...right.map((value) => ({ value, isLeft: false })),
  ];
  all.sort((one, other) => one.value - other.value);
  let rankSum = 0;
  for (const [index, { isLeft }] of all.entries()) if (isLeft) rankSum += index + 1;
  return (rankSum - (left.length * (left.length + 1)) / 2) / (left.length * right.length);
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

async function measure(app: TestApp, call: string): Promise<void> {
  for (const state of states) await prepare(app, call, state);
  const times: Record<State, number[]> = { known: [], closed: [], waiting: [], nobody: [] };
  const ask = calls[call];
  const statuses = new Set<number>();
  for (const [asked, { state, index }] of shuffled().entries()) {
    const [path, body] = ask?.(addressOf(call, state, index)) ?? ['', {}];
    const from = `10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`;
    const started = performance.now();
    const { status } = await app.post(`/api/v1/auth/${path}`, body, { from });
    times[state].push(performance.now() - started);
    statuses.add(status);
  }
  for (const state of states) {
    const area = areaUnderCurve(times[state], times.nobody);
    console.log(
      `${call.padEnd(16)} ${state.padEnd(8)} median ${median(times[state]).toFixed(2)} ms   against nobody: AUC ${area.toFixed(3)}   statuses ${[...statuses].join(',')}`,
    );
  }
}

await globalSetup();
try {
  const app = await createTestApp({
    env: { FIRSTPROOF_BUDGETS: 'relaxed' },
    tenants: { default: { error_detail: 'uniform' } },
  });
  for (let warm = 0; warm < 50; warm++) {
    for (const [call, ask] of Object.entries(calls)) {
      const [path, body] = ask(`warm-${call}-${warm}@example.net`);
      await app.post(`/api/v1/auth/${path}`, body, { from: `192.0.2.${warm}` });
    }
  }
  for (const call of Object.keys(calls)) await measure(app, call);
  await app.close();
} finally {
  await globalTeardown();
}
