import type { Database } from '../db/database.ts';
import { type ChangedBy, changeTenant } from './store.ts';

export interface TelegramLoginRow {
  tenant_id: string;
  client_id: string;
  secret_sealed: Buffer;
}

export function readTelegramLogins(database: Database): Promise<TelegramLoginRow[]> {
  return database.sql<TelegramLoginRow[]>`
    select tenant_id, client_id::text as client_id, secret_sealed from telegram_logins`;
}

/** Writes a tenant's client and tells every server. */
export async function upsertTelegramLogin(
  database: Database,
  login: { tenantId: string; clientId: string; secretSealed: Buffer },
  by: ChangedBy & { id: string },
): Promise<void> {
  const { sql } = database;
  const now = database.now();
  await changeTenant(sql, {
    ...by,
    tenantId: login.tenantId,
    action: 'telegram_login.set',
    subject: sql`${`telegram_login:${login.clientId}`}`,
    now,
    write: sql`
      insert into telegram_logins (tenant_id, client_id, secret_sealed, updated_at)
      values (${login.tenantId}, ${login.clientId}::bigint, ${login.secretSealed}, ${now})
      on conflict (tenant_id) do update set client_id = excluded.client_id,
        secret_sealed = excluded.secret_sealed, updated_at = excluded.updated_at
      returning tenant_id`,
  });
}

/** Takes a tenant's client away. False when it has none of its own. */
export function deleteTelegramLogin(
  database: Database,
  tenantId: string,
  by: ChangedBy & { id: string },
): Promise<boolean> {
  const { sql } = database;
  return changeTenant(sql, {
    ...by,
    tenantId,
    action: 'telegram_login.removed',
    subject: sql`'telegram_login:' || written.client_id`,
    now: database.now(),
    write: sql`delete from telegram_logins where tenant_id = ${tenantId} returning tenant_id, client_id`,
  });
}
