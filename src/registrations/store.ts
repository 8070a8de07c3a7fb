import type { Database, Fragment, Sql } from '../db/database.ts';
import { REGISTRATION_LIFE_SECONDS, type RegistrationData } from './policy.ts';

export interface WaitingRegistration {
  id: string;
  registration_data: RegistrationData;
  password_hash: string | null;
}

export interface RegistrationRow {
  tenantId: string;
  id: string;
  kind: string;
  value: string;
  data: RegistrationData;
  passwordHash: string | null;
  now: Fragment;
}

const json = (data: RegistrationData): string => JSON.stringify(data);

/**
 * `insert …` for a `with` list after `budget`, which must have been taken: a new registration, or the waiting one of
 * whoever typed the same password for the same address. Gives its id.
 */
export function keepFragment(sql: Sql, row: RegistrationRow): Fragment {
  const { now } = row;
  return sql`
    insert into pending_registrations as p (tenant_id, id, kind, value, registration_data, password_hash, created_at,
      updated_at, expires_at)
    select ${row.tenantId}::uuid, ${row.id}::uuid, ${row.kind}, ${row.value}, ${json(row.data)}::text::jsonb,
      ${row.passwordHash}, ${now}, ${now}, ${now} + make_interval(secs => ${REGISTRATION_LIFE_SECONDS})
    from budget where taken
    on conflict (tenant_id, kind, value, password_hash) do update set
      registration_data = excluded.registration_data, updated_at = excluded.updated_at,
      expires_at = excluded.expires_at
    returning id`;
}

/** `update …` for a `with` list after `budget`: its holder changes a waiting registration. Gives its id, or no row. */
export function changeFragment(sql: Sql, row: RegistrationRow): Fragment {
  const { now } = row;
  return sql`
    update pending_registrations p set registration_data = ${json(row.data)}::text::jsonb,
      password_hash = ${row.passwordHash}, updated_at = ${now},
      expires_at = ${now} + make_interval(secs => ${REGISTRATION_LIFE_SECONDS})
    from budget
    where p.tenant_id = ${row.tenantId}::uuid and p.id = ${row.id}::uuid and p.expires_at > ${now}
    returning p.id`;
}

/**
 * Two entries for a `with` list after `proof`: every registration that waits for the proved address goes, and
 * `claimed` is the one that the proof completes, with `contested` when another password waited beside it.
 * A DELETE gives rows as they are when it takes them, whatever the statement's snapshot.
 */
export function claimFragment(sql: Sql, tenantId: string, now: Fragment): Fragment {
  return sql`
    cleared as (
      delete from pending_registrations p
      where p.tenant_id = ${tenantId}::uuid and p.kind = (select kind from proof where state = 'proved')
        and p.value = (select value from proof)
      returning p.id, p.registration_data as data, p.password_hash, p.expires_at > ${now} as is_live
    ),
    claimed as (
      select c.data ->> 'first_name' as first_name, c.data ->> 'last_name' as last_name,
        c.data ->> 'username' as username, c.data ->> 'role' as role, c.data -> 'custom_fields' as custom_fields,
        c.password_hash,
        exists (select from cleared other where other.is_live and other.password_hash <> c.password_hash) as contested
      from cleared c, proof
      where c.is_live and proof.purpose = 'register' and c.id = proof.pending_registration_id
    )`;
}

/** SQL of type boolean over `l`, an address with its tenant: does a registration wait for it, be it over already? */
export function waitsFragment(sql: Sql): Fragment {
  return sql`exists (select from pending_registrations p
    where p.tenant_id = l.tenant_id and p.kind = l.kind and p.value = l.value)`;
}

/** The registrations that wait for an address, newest first. */
export function readWaiting(
  database: Database,
  address: { tenantId: string; kind: string; value: string },
  limit: number,
): Promise<WaitingRegistration[]> {
  return database.sql<WaitingRegistration[]>`
    select id, registration_data, password_hash from pending_registrations
    where tenant_id = ${address.tenantId} and kind = ${address.kind} and value = ${address.value}
      and expires_at > ${database.now()}
    order by updated_at desc, id desc limit ${limit}`;
}

/** Removes what nobody proved in time, hashed passwords included (S52). SKIP LOCKED: a sign-up never waits for it. */
export async function sweepRegistrations(database: Database, batch: number): Promise<number> {
  const result = await database.sql`
    delete from pending_registrations where (tenant_id, id) in (
      select tenant_id, id from pending_registrations where expires_at <= ${database.now()}
      order by expires_at limit ${batch} for update skip locked)`;
  return result.count;
}
