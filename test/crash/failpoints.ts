import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { census } from '../census.ts';
import type { TestApp } from '../create-test-app.ts';
import { brokenInvariants } from '../model/invariants.ts';

/** How a write fails: by an error, with its connection, or only when the transaction commits. */
const FAULTS = {
  refused: { body: `raise exception 'failpoint'`, timing: 'trigger failpoint before', deferred: '' },
  killed: {
    body: 'perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1)',
    timing: 'trigger failpoint before',
    deferred: '',
  },
  'refused at the commit': {
    body: `raise exception 'failpoint'`,
    timing: 'constraint trigger failpoint after',
    deferred: 'deferrable initially deferred',
  },
} as const;

type Fault = keyof typeof FAULTS;

/** What one flow asks for, fresh each time, and the writes it consists of. */
export interface Flow {
  prepare(address: string): Promise<() => Promise<{ status: number; body: unknown }>>;
  good: number;
  /** Tables, or a table with the one row of several that fails. */
  writes: readonly string[];
}

/** Every table that a flow may write to. What else there is counts, queues or remembers for itself. */
const TABLES = [
  ...['users', 'identities', 'verifications', 'address_budgets', 'sessions', 'devices', 'messages'],
  ...['audit_events', 'signing_keys', 'tenants', 'api_keys', 'pending_registrations', 'notices'],
  ...['telegram_chats', 'chat_moves', 'chat_challenges', 'telegram_links', 'telegram_login_data'],
];

/** Rows that a failed statement must leave as they were, whole. */
const COMPARED = [
  ...['users', 'identities', 'verifications', 'address_budgets', 'sessions', 'devices'],
  ...['pending_registrations', 'notices', 'telegram_chats', 'chat_moves', 'chat_challenges'],
  ...['telegram_links', 'telegram_login_data'],
];

/** Written some time after a request, by the server for itself. */
const NOTED_LATER = ['last_used_at', 'last_seen', 'last_ip', 'told_at'];

let counter = 0;
const newAddress = (): string => `fail${++counter}@firstproof.dev`;

/** Tables that the flow does not name are not written by it: with them failing it succeeds. */
export async function leavesNoWriteOut(app: TestApp, flow: Flow): Promise<void> {
  const named = new Set(flow.writes.map((write) => write.split(' ')[0]));
  for (const table of TABLES.filter((one) => !named.has(one))) {
    const ask = await flow.prepare(newAddress());
    const { status } = await withFault(app, table, 'refused', ask);
    assert.equal(status, flow.good, `it writes ${table}, too`);
  }
}

/** Each write fails in each way: nothing of the flow is kept, nothing is told of it, and the next try succeeds. */
export async function keepsNothing(app: TestApp, flow: Flow): Promise<void> {
  for (const write of flow.writes) {
    for (const fault of Object.keys(FAULTS) as Fault[]) {
      const ask = await flow.prepare(newAddress());
      await settle(app);
      const earlier = await everything(app);
      const failed = await withFault(app, write, fault, ask);
      const where = `${write}, ${fault}`;
      const text = JSON.stringify(failed.body);
      assert.equal(failed.status, fault === 'killed' ? 503 : 500, `${where}: ${text}`);
      assert.doesNotMatch(text, /failpoint|trigger|postgres/i, where);
      assert.equal(await retry(() => everything(app)), earlier, where);
      const answer = await ask();
      assert.equal(answer.status, flow.good, `${where}, then: ${JSON.stringify(answer.body)}`);
      assert.deepEqual(await brokenInvariants(app.databases.control.sql), [], where);
    }
  }
}

/** Waits until what the preparation set off has been told and sent. */
async function settle(app: TestApp): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    // What is tried again waits for the injected clock; what lost its connection while it was settled, for its lease.
    if (attempt % 100 === 99) app.clock.advance(10);
    await app.app.worker.dispatch();
    const [open] = await app.databases.control.sql`
      select (select count(*)::int from notices where told_at is null)
        + (select count(*)::int from messages where state in ('queued', 'sending')) as count`;
    if (open?.['count'] === 0) return;
    await wait(10);
  }
  throw new Error('the messages of the preparation do not come to rest');
}

async function everything(app: TestApp): Promise<string> {
  const { sql } = app.databases.control;
  const texts = await Promise.all(
    COMPARED.map(
      (table) => sql`
        select md5(string_agg(facts, ',' order by facts))
        from (select (to_jsonb(row) - ${NOTED_LATER}::text[])::text as facts from ${sql(table)} row) compared`,
    ),
  );
  return JSON.stringify([texts.map(([row]) => row), await census(app)]);
}

async function withFault<T>(app: TestApp, write: string, fault: Fault, work: () => Promise<T>): Promise<T> {
  const { sql } = app.databases.control;
  const [table, condition] = write.split(' where ');
  const { body, timing, deferred } = FAULTS[fault];
  await sql.unsafe(`
    create or replace function failpoint() returns trigger language plpgsql as
      $$ begin ${body}; return new; end $$;
    create ${timing} insert or update on ${table} ${deferred} for each row
      ${condition ? `when (${condition})` : ''} execute function failpoint()`);
  try {
    return await work();
  } finally {
    await retry(() => sql.unsafe(`drop trigger failpoint on ${table}`));
  }
}

/** The pool may still hold the connection that was killed. */
async function retry<T>(work: () => PromiseLike<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}
