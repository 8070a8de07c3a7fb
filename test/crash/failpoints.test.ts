import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { census } from '../census.ts';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { brokenInvariants } from '../model/invariants.ts';
import { wrongCode } from '../wrong-code.ts';

const AUTH = '/api/v1/auth';

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

/** What one flow asks for, fresh each time, and the writes its statement consists of. */
interface Flow {
  prepare(address: string): Promise<() => Promise<Answer>>;
  good: number;
  /** Tables, or a table with the one row of several that fails. */
  writes: readonly string[];
}

let app: TestApp;
let counter = 0;
before(async () => {
  app = await createTestApp({ env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' } });
});
after(() => app.close());

async function sendCode(email: string): Promise<{ verification_id: string; code: string }> {
  const earlier = await app.newestMessage(email);
  const sent = await app.post(`${AUTH}/send-verification`, { email });
  assert.equal(sent.status, 200);
  return { verification_id: sent.body.verification_id, code: await app.code(email, { after: earlier }) };
}

const FLOWS: Record<string, Flow> = {
  'send a code': {
    prepare: async (email) => () => app.post(`${AUTH}/send-verification`, { email }),
    good: 200,
    writes: ['address_budgets', 'verifications', 'messages', 'audit_events'],
  },
  'send it again': {
    async prepare(email) {
      const { verification_id } = await sendCode(email);
      app.clock.advance(61);
      return () => app.post(`${AUTH}/resend-otp`, { verification_id });
    },
    good: 200,
    writes: ['address_budgets', 'verifications', 'messages', 'audit_events'],
  },
  'a first proof': {
    async prepare(email) {
      const proof = await sendCode(email);
      return () => app.post(`${AUTH}/verify-code`, proof);
    },
    good: 201,
    writes: [
      ...['verifications', 'identities', 'users', 'devices', 'sessions'],
      ...[
        `audit_events where new.action = 'user.created'`,
        `audit_events where new.action = 'user.signed_in'`,
      ],
    ],
  },
  'a later proof after a wrong code': {
    async prepare(email) {
      await app.signIn({ email });
      const proof = await sendCode(email);
      const wrong = await app.post(`${AUTH}/verify-code`, { ...proof, code: wrongCode(proof.code) });
      assert.equal(wrong.status, 401);
      return () => app.post(`${AUTH}/verify-code`, proof);
    },
    good: 200,
    writes: [
      ...['verifications', 'address_budgets', 'identities', 'users', 'devices', 'sessions', 'audit_events'],
    ],
  },
  'a wrong code': {
    async prepare(email) {
      const { code, ...rest } = await sendCode(email);
      return () => app.post(`${AUTH}/verify-code`, { ...rest, code: wrongCode(code) });
    },
    good: 401,
    writes: ['verifications', 'address_budgets', 'audit_events'],
  },
  'a refresh': {
    async prepare(email) {
      const { body } = await app.signIn({ email });
      return () => app.post(`${AUTH}/refresh`, { refresh_token: body.refresh_token });
    },
    good: 200,
    writes: ['sessions'],
  },
  'a stolen refresh token': {
    async prepare(email) {
      const { body } = await app.signIn({ email });
      const refresh = () => app.post(`${AUTH}/refresh`, { refresh_token: body.refresh_token });
      assert.equal((await refresh()).status, 200);
      app.clock.advance(11);
      return refresh;
    },
    good: 401,
    writes: ['sessions', 'users', 'audit_events'],
  },
  'a sign-out': {
    async prepare(email) {
      const { body } = await app.signIn({ email });
      return () => app.post(`${AUTH}/logout`, undefined, { token: body.access_token });
    },
    good: 200,
    writes: ['sessions', 'users', 'audit_events'],
  },
};

/** Rows of every table that this flow writes, whole: what a failed statement must leave as it was. */
async function everything(): Promise<string> {
  const { sql } = app.databases.control;
  const tables = ['users', 'identities', 'verifications', 'address_budgets', 'sessions', 'devices'];
  const texts = await Promise.all(
    tables.map(
      (table) => sql`select md5(string_agg(row::text, ',' order by row::text)) from ${sql(table)} row`,
    ),
  );
  return JSON.stringify([texts.map(([row]) => row), await census(app)]);
}

async function withFault<T>(write: string, fault: keyof typeof FAULTS, work: () => Promise<T>): Promise<T> {
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

const TABLES = [
  ...['users', 'identities', 'verifications', 'address_budgets', 'sessions', 'devices', 'messages'],
  ...['audit_events', 'signing_keys', 'tenants', 'api_keys'],
];

for (const [name, flow] of Object.entries(FLOWS)) {
  test(`S06 ${name}: no write is left out here`, async () => {
    for (const table of TABLES.filter((one) => !flow.writes.some((write) => write.split(' ')[0] === one))) {
      const ask = await flow.prepare(`fail${++counter}@firstproof.dev`);
      assert.equal((await withFault(table, 'refused', ask)).status, flow.good, `it writes ${table}, too`);
    }
  });

  test(`S06 ${name}: whichever write fails, nothing of it is kept, and the next try succeeds`, async () => {
    for (const write of flow.writes) {
      for (const fault of Object.keys(FAULTS) as (keyof typeof FAULTS)[]) {
        const ask = await flow.prepare(`fail${++counter}@firstproof.dev`);
        await app.app.worker.dispatch();
        const earlier = await everything();
        const failed = await withFault(write, fault, ask);
        const where = `${write}, ${fault}`;
        assert.equal(
          failed.status,
          fault === 'killed' ? 503 : 500,
          `${where}: ${JSON.stringify(failed.body)}`,
        );
        assert.doesNotMatch(JSON.stringify(failed.body), /failpoint|trigger|postgres/i, where);
        assert.equal(await retry(everything), earlier, where);
        const answer = await ask();
        assert.equal(answer.status, flow.good, `${where}, then: ${JSON.stringify(answer.body)}`);
        assert.deepEqual(await brokenInvariants(app.databases.control.sql), [], where);
      }
    }
  });
}
