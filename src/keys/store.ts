import { recordEvent } from '../audit/audit.ts';
import type { Database, Sql } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';

export interface SigningKeyRow {
  tenant_id: string;
  kid: string;
  alg: string;
  private_key_sealed: Buffer;
  public_jwk: Record<string, unknown>;
  state: 'next' | 'active' | 'retiring' | 'retired';
  not_before: Date;
  retire_at: Date | null;
}

/** The topic by which servers learn that keys were made or rotated. */
export const KEYS_TOPIC = 'keys';

/** Every key that may still sign or verify. */
export function readKeys(database: Database): Promise<SigningKeyRow[]> {
  return database.sql<SigningKeyRow[]>`
    select tenant_id, kid, alg, private_key_sealed, public_jwk, state, not_before, retire_at from signing_keys
    where state <> 'retired' and (retire_at is null or retire_at > ${database.now()})`;
}

/**
 * Inserts keys, all or none: a tenant left with an active key and no next one could never rotate. Of two servers that
 * both found them missing, one wins and the other keeps what is there.
 */
export async function insertKeys(database: Database, rows: readonly SigningKeyRow[]): Promise<void> {
  await database.transaction(async (transaction) => {
    const sql = transaction as unknown as Sql;
    for (const row of rows) {
      await sql`
        insert into signing_keys (tenant_id, kid, alg, private_key_sealed, public_jwk, state, created_at, not_before)
        values (${row.tenant_id}, ${row.kid}, ${row.alg}, ${row.private_key_sealed},
          ${sql.json(row.public_jwk as never)}, ${row.state}, ${database.now()}, ${row.not_before})
        on conflict do nothing`;
    }
    await sql`select pg_notify(${FEED_CHANNEL}, ${`${KEYS_TOPIC}:`})`;
  });
}

export interface Rotation {
  tenantId: string;
  /** The active key this server saw; if another server rotated meanwhile, nothing happens. */
  expectedActive: string;
  newNext: SigningKeyRow;
  /** The next key must have been published for so long; 0 in an emergency. */
  publishedForSeconds: number;
  /** Seconds the outgoing key goes on verifying; 0 in an emergency. */
  retireAfterSeconds: number;
  auditId: string;
  actor: string;
}

/**
 * active → retiring, next → active, and a new next: one transaction, three statements because each frees the place
 * in a unique index that the next one takes.
 */
export function rotate(database: Database, rotation: Rotation): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const sql = transaction as unknown as Sql;
    const now = database.now();
    const retired = await sql`
      update signing_keys set state = ${rotation.retireAfterSeconds > 0 ? 'retiring' : 'retired'},
        retire_at = ${now} + make_interval(secs => ${rotation.retireAfterSeconds})
      where tenant_id = ${rotation.tenantId} and kid = ${rotation.expectedActive} and state = 'active'
        and exists (select from signing_keys next where next.tenant_id = ${rotation.tenantId}
          and next.state = 'next'
          and next.created_at <= ${now} - make_interval(secs => ${rotation.publishedForSeconds}))`;
    if (retired.count === 0) return false;
    await sql`
      update signing_keys set state = 'active', not_before = ${now}
      where tenant_id = ${rotation.tenantId} and state = 'next'`;
    const { newNext } = rotation;
    await sql`
      insert into signing_keys (tenant_id, kid, alg, private_key_sealed, public_jwk, state, created_at, not_before)
      values (${newNext.tenant_id}, ${newNext.kid}, ${newNext.alg}, ${newNext.private_key_sealed},
        ${sql.json(newNext.public_jwk as never)}, 'next', ${now}, ${newNext.not_before})`;
    await recordEvent(sql, {
      tenantId: rotation.tenantId,
      id: sql`${rotation.auditId}::uuid`,
      action: sql`'signing_key.rotated'`,
      actor: sql`${rotation.actor}`,
      subject: sql`${`key:${rotation.expectedActive}`}`,
      caller: undefined,
      now,
      from: sql`(select) as rotated`,
    });
    await sql`select pg_notify(${FEED_CHANNEL}, ${`${KEYS_TOPIC}:`})`;
    return true;
  });
}
