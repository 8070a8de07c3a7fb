import { type Database, isUniqueViolation } from '../db/database.ts';
import { type ChangedBy, changeTenant, tellServers } from './store.ts';

export interface TelegramBotRow {
  tenant_id: string;
  bot_id: string;
  username: string | null;
  token_sealed: Buffer | null;
  setup_hash: Buffer | null;
}

export function readTelegramBots(database: Database): Promise<TelegramBotRow[]> {
  return database.sql<TelegramBotRow[]>`
    select tenant_id, bot_id::text as bot_id, username, token_sealed, setup_hash from telegram_bots`;
}

export interface TelegramBotChange {
  tenantId: string;
  botId: string;
  username: string | null;
  /** Null: the token stands in the configuration. */
  tokenSealed: Buffer | null;
}

/** Writes a tenant's bot and tells every server; the same again changes nothing. False when another tenant has this bot. */
export async function upsertTelegramBot(
  database: Database,
  bot: TelegramBotChange,
  by: ChangedBy & { id: string },
): Promise<boolean> {
  const { sql } = database;
  const now = database.now();
  try {
    await changeTenant(sql, {
      ...by,
      tenantId: bot.tenantId,
      action: 'telegram_bot.set',
      subject: sql`${`telegram_bot:${bot.botId}`}`,
      now,
      write: sql`
        insert into telegram_bots as b (tenant_id, bot_id, username, token_sealed, updated_at)
        values (${bot.tenantId}, ${bot.botId}::bigint, ${bot.username}, ${bot.tokenSealed}, ${now})
        on conflict (tenant_id) do update set bot_id = excluded.bot_id, token_sealed = excluded.token_sealed,
          username = case when b.bot_id = excluded.bot_id then coalesce(excluded.username, b.username)
            else excluded.username end,
          setup_hash = null, leased_by = null, leased_until = null, updated_at = excluded.updated_at
        where b.bot_id <> excluded.bot_id or b.token_sealed is distinct from excluded.token_sealed
        returning tenant_id`,
    });
    return true;
  } catch (fault) {
    if (isUniqueViolation(fault, 'telegram_bots_bot')) return false;
    throw fault;
  }
}

/** Takes a tenant's bot away. False when it has none of its own. */
export function deleteTelegramBot(
  database: Database,
  tenantId: string,
  by: ChangedBy & { id: string },
): Promise<boolean> {
  const { sql } = database;
  return changeTenant(sql, {
    ...by,
    tenantId,
    action: 'telegram_bot.removed',
    subject: sql`'telegram_bot:' || written.bot_id`,
    now: database.now(),
    write: sql`
      delete from telegram_bots where tenant_id = ${tenantId} and token_sealed is not null
      returning tenant_id, bot_id`,
  });
}

/** Takes or keeps the right to speak to Telegram for a bot. One server has it at a time; it lapses by itself. */
export async function leaseTelegramBot(
  database: Database,
  query: { tenantId: string; node: string; seconds: number },
): Promise<boolean> {
  const now = database.now();
  const rows = await database.sql`
    update telegram_bots set leased_by = ${query.node}::uuid,
      leased_until = ${now} + make_interval(secs => ${query.seconds})
    where tenant_id = ${query.tenantId}
      and (leased_by is null or leased_by = ${query.node}::uuid or leased_until <= ${now})
    returning tenant_id`;
  return rows.length > 0;
}

export async function releaseTelegramBot(database: Database, tenantId: string, node: string): Promise<void> {
  await database.sql`
    update telegram_bots set leased_by = null, leased_until = null
    where tenant_id = ${tenantId} and leased_by = ${node}::uuid`;
}

/** What Telegram was told and what it told, so that a restart need not say it again. */
export async function noteTelegramSetup(
  database: Database,
  setup: { tenantId: string; username: string; setupHash: Buffer },
): Promise<void> {
  const { sql } = database;
  await sql`
    with noted as (
      update telegram_bots set username = ${setup.username}, setup_hash = ${setup.setupHash}
      where tenant_id = ${setup.tenantId}
        and (username, setup_hash) is distinct from (${setup.username}::text, ${setup.setupHash}::bytea)
      returning tenant_id
    )
    ${tellServers(sql)} from noted`;
}
