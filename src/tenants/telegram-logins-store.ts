import { recordEvent } from '../audit/audit.ts';
import type { Database } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';
import { type ChangedBy, TENANTS_TOPIC } from './store.ts';

export interface TelegramLoginRow {
  tenant_id: string;
  client_id: string;
  secret_sealed: Buffer;
}

export function readTelegramLogins(database: Database): Promise<TelegramLoginRow[]> {
  return database.sql<TelegramLoginRow[]>`
    select tenant_id, client_id::text as client_id, secret_sealed from telegram_logins`;
}

const tellServers = `${TENANTS_TOPIC}:`;

/** Writes a tenant's client and tells every server. */
export async function upsertTelegramLogin(
  database: Database,
  login: { tenantId: string; clientId: string; secretSealed: Buffer },
  by: ChangedBy & { id: string },
): Promise<void> {
  const { sql } = database;
  const now = database.now();
  await sql`
    with written as (
      insert into telegram_logins (tenant_id, client_id, secret_sealed, updated_at)
      values (${login.tenantId}, ${login.clientId}::bigint, ${login.secretSealed}, ${now})
      on conflict (tenant_id) do update set client_id = excluded.client_id,
        secret_sealed = excluded.secret_sealed, updated_at = excluded.updated_at
      returning tenant_id
    ), audited as (${recordEvent(sql, {
      tenantId: login.tenantId,
      id: sql`${by.id}::uuid`,
      action: sql`'telegram_login.set'`,
      actor: sql`${by.actor}`,
      subject: sql`${`telegram_login:${login.clientId}`}`,
      caller: by.caller,
      now,
      from: sql`written`,
    })})
    select pg_notify(${FEED_CHANNEL}, ${tellServers} || tenant_id) from written`;
}

/** Takes a tenant's client away. False when it has none of its own. */
export async function deleteTelegramLogin(
  database: Database,
  tenantId: string,
  by: ChangedBy & { id: string },
): Promise<boolean> {
  const { sql } = database;
  const rows = await sql`
    with removed as (
      delete from telegram_logins where tenant_id = ${tenantId} returning tenant_id, client_id
    ), audited as (${recordEvent(sql, {
      tenantId,
      id: sql`${by.id}::uuid`,
      action: sql`'telegram_login.removed'`,
      actor: sql`${by.actor}`,
      subject: sql`'telegram_login:' || removed.client_id`,
      caller: by.caller,
      now: database.now(),
      from: sql`removed`,
    })})
    select pg_notify(${FEED_CHANNEL}, ${tellServers} || tenant_id) from removed`;
  return rows.length > 0;
}
