import type { Database, Sql } from '../db/database.ts';

/** One request by its key, as the table knows it. */
export interface RequestId {
  tenantId: string;
  id: Buffer;
  fingerprint: Buffer;
}

/**
 * Claims a request for the one process that is to answer it. Of many at once the primary key lets one in.
 * A claim whose lease has run out without an answer is taken over, by the same body alone.
 * @returns false: it is answered already, or is being answered
 */
export async function claimRequest(
  database: Database,
  request: RequestId,
  terms: { claim: string; leaseSeconds: number; keepSeconds: number },
): Promise<boolean> {
  const now = database.now();
  const rows = await database.sql`
    insert into idempotent_requests as r (tenant_id, id, fingerprint, claim, lease_until, expires_at)
    values (${request.tenantId}, ${request.id}, ${request.fingerprint}, ${terms.claim},
      ${now} + make_interval(secs => ${terms.leaseSeconds}), ${now} + make_interval(secs => ${terms.keepSeconds}))
    on conflict (tenant_id, id) do update set fingerprint = excluded.fingerprint, claim = excluded.claim,
      lease_until = excluded.lease_until, expires_at = excluded.expires_at, answer_sealed = null
    where r.expires_at <= ${now}
      or (r.answer_sealed is null and r.lease_until <= ${now} and r.fingerprint = excluded.fingerprint)
    returning id`;
  return rows.length > 0;
}

export interface KnownRequest {
  fingerprint: Uint8Array;
  /** Null: no answer yet. */
  answer_sealed: Uint8Array | null;
  /** Is somebody at work on it? */
  is_held: boolean;
}

/** What is known of a request; undefined where its claim was given up meanwhile. */
export async function readRequest(
  database: Database,
  { tenantId, id }: Pick<RequestId, 'tenantId' | 'id'>,
): Promise<KnownRequest | undefined> {
  const now = database.now();
  const [row] = await database.sql<KnownRequest[]>`
    select fingerprint, answer_sealed, lease_until > ${now} as is_held from idempotent_requests
    where tenant_id = ${tenantId} and id = ${id} and expires_at > ${now}`;
  return row;
}

/** Keeps the answer, unless the claim has gone to another request since. */
export async function keepAnswer(
  database: Database,
  { tenantId, id }: Pick<RequestId, 'tenantId' | 'id'>,
  claim: string,
  sealed: Buffer,
): Promise<void> {
  await database.sql`
    update idempotent_requests set answer_sealed = ${sealed}
    where tenant_id = ${tenantId} and id = ${id} and claim = ${claim} and answer_sealed is null`;
}

/** Forgets a request that changed nothing. */
export async function dropClaim(
  database: Database,
  { tenantId, id }: Pick<RequestId, 'tenantId' | 'id'>,
  claim: string,
): Promise<void> {
  await database.sql`
    delete from idempotent_requests
    where tenant_id = ${tenantId} and id = ${id} and claim = ${claim} and answer_sealed is null`;
}

/** Removes answers whose day is over. */
export async function sweepIdempotency(database: Database, batch: number): Promise<number> {
  const result = await database.sql`
    delete from idempotent_requests where (tenant_id, id) in (
      select tenant_id, id from idempotent_requests where expires_at <= ${database.now()}
      order by expires_at limit ${batch} for update skip locked)`;
  return result.count;
}

/** Forgets every request of a tenant. */
export async function forgetAnswers(sql: Sql, tenantId: string): Promise<void> {
  await sql`delete from idempotent_requests where tenant_id = ${tenantId}::uuid`;
}
