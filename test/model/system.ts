import { setTimeout as wait } from 'node:timers/promises';
import assert from 'node:assert/strict';
import type postgres from 'postgres';
import { connectPostgres } from '../../src/db/driver.ts';
import { createSecrets } from '../../src/kernel/secrets.ts';
import type { Tenant } from '../../src/tenants/tenants.ts';
import { readHandle, sealContext } from '../../src/verification/policy.ts';
import {
  type Answer,
  createTestApp,
  type RequestOptions,
  TEST_SECRET,
  type TestApp,
} from '../create-test-app.ts';
import { brokenInvariants } from './invariants.ts';

/** Two servers on one database, and for each run a tenant and addresses of its own. */
export interface Fleet {
  newRun(addresses: number): Promise<Run>;
  close(): Promise<void>;
}

export interface Run {
  tenant: Tenant;
  addresses: readonly string[];
  servers: readonly [TestApp, TestApp];
  sql: postgres.Sql;
  clock: TestApp['clock'];
  /** Speaks to one of the servers, each time as another caller. */
  send(at: 0 | 1, method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  /** The code behind a handle, opened from the database. */
  codeOf(handle: string): Promise<string>;
  /** Waits until this code has reached the inbox of an address so often. */
  delivered(address: number, code: string, times: number): Promise<void>;
  /** True once connections were killed: what was lost then is delivered when its lease is over. */
  fired: boolean;
  /** What the database says, in the words of projection(). */
  observe(): Promise<string[]>;
  broken(): Promise<string[]>;
  /** Kills the servers' connections, feeds too, while the work is under way. */
  underFire<T>(work: () => Promise<T>, afterMilliseconds: number): Promise<T>;
  /** Waits until both servers answer and hear each other again. */
  recover(): Promise<void>;
}

const secrets = createSecrets([TEST_SECRET]);
let runs = 0;
let callers = 0;

export async function startFleet(): Promise<Fleet> {
  const first = await createTestApp();
  const second = await first.replica();
  const servers = [first, second] as const;
  const sql = connectPostgres(first.urls.get('control') ?? '', {
    max: 2,
    connection: { application_name: 'model' },
  });
  return {
    newRun: (addresses) => newRun(servers, sql, addresses),
    async close() {
      await sql.end();
      await second.close();
      await first.close();
    },
  };
}

async function newRun(servers: readonly [TestApp, TestApp], sql: postgres.Sql, count: number): Promise<Run> {
  const [first] = servers;
  const slug = `run-${++runs}`;
  await first.app.tenants.create({
    ...{ slug, name: slug, kind: 'application', phonePrefixes: [], hosts: [], database: null },
    ...{ locale: 'en', settings: {}, branding: {} },
  });
  for (const server of servers) await until(() => server.app.tenants.bySlug(slug) !== undefined);
  const tenant = first.app.tenants.bySlug(slug) as Tenant;
  for (const server of servers) await server.app.keys.ensure(tenant.id);
  const addresses = Array.from({ length: count }, (_, index) => `person${index}@${slug}.firstproof.dev`);

  const run: Run = {
    tenant,
    addresses,
    servers,
    sql,
    clock: first.clock,
    send(at, method, path, body, options = {}) {
      const from = `10.${(++callers >> 16) & 255}.${(callers >> 8) & 255}.${callers & 255}`;
      const headers = { 'x-tenant': slug, ...options.headers };
      return servers[at].request(method, path, body, { from, ...options, headers });
    },
    async codeOf(handle) {
      const id = readHandle(handle)?.id ?? '';
      const [row] =
        await sql`select code_sealed from verifications where tenant_id = ${tenant.id} and id = ${id}`;
      return secrets.open(row?.['code_sealed'] as Buffer, sealContext(tenant.id, id)).toString();
    },
    delivered: (address, code, times) =>
      until(async () => {
        const received = (await first.app.inbox?.list(addresses[address], 1000)) ?? [];
        return received.filter((message) => message.code === code).length >= times;
      }),
    fired: false,
    observe: () => observe(sql, tenant.id, addresses, first.clock.now()),
    broken: () => brokenInvariants(sql, tenant.id),
    async underFire(work, afterMilliseconds) {
      const working = work();
      await wait(afterMilliseconds);
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'firstproof%'`;
      run.fired = true;
      return working;
    },
    async recover() {
      for (const { databases } of servers) {
        const { control } = databases;
        await until(async () => {
          const probes = Array.from({ length: 12 }, () => control.sql`select 1`);
          return (await Promise.allSettled(probes)).every((probe) => probe.status === 'fulfilled');
        });
      }
    },
  };
  return run;
}

async function observe(sql: postgres.Sql, tenantId: string, addresses: readonly string[], now: Date) {
  const day = new Date(now.getTime() - 86_400_000).toISOString();
  const rows = await sql<{ text: string }[]>`
    select 'account ' || (i.user_id is not null)::text
      || ' sent ' || (select count(*) from unnest(b.sent_at) at where at > ${day}::timestamptz)
      || ' failed ' || (select count(*) from unnest(b.failed_at) at where at > ${day}::timestamptz)
      || ' codes ' || coalesce((select string_agg(code, ' ' order by code collate "C") from (
        select attempts || '/' || sends || case when consumed_at is null then '' else 'used' end as code
        from verifications v where v.tenant_id = ${tenantId} and v.kind = 'email' and v.value = address) v), '')
      || ' sessions ' || coalesce((select string_agg(one, ' ' order by one collate "C") from (
        select counter || case when revoked_at is null then '' else 'ended' end as one
        from sessions s where s.tenant_id = ${tenantId} and s.user_id = i.user_id) s), '') as text
    from unnest(${addresses as string[]}::text[]) with ordinality as asked (address, place)
    left join identities i on i.tenant_id = ${tenantId} and i.kind = 'email' and i.value = address
    left join address_budgets b on b.tenant_id = ${tenantId} and b.kind = 'email' and b.value = address
    order by place`;
  return rows.map((row) => row.text);
}

/** Waits for something that others do, five seconds at most. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 5) {
    if (waited > 5000) assert.fail('what was waited for never came');
    await wait(5);
  }
}
