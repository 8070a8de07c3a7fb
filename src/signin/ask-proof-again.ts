import { recordEvent } from '../audit/audit.ts';
import { findChat } from '../chats/chats.ts';
import type { Database } from '../db/database.ts';
import { type Delivery, messageLocales, type OnStaleChat } from '../delivery/delivery.ts';
import { matchLocale } from '../kernel/locale.ts';
import type { Log } from '../kernel/log.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { SignInContext } from './context.ts';

const DAY = 86_400;

/** The data of the button by which a chat proves its number again; the bot reads it. */
export const PROVE_AGAIN_PREFIX = 'prove_again';

export interface AskProofAgainOptions extends Pick<SignInContext, 'buckets'> {
  delivery: () => Pick<Delivery, 'queue' | 'dispatch'>;
  tenants: Pick<Tenants, 'byId'>;
  newId: () => string;
  log: Log;
}

/**
 * A code was kept from a chat whose number was proved there too long ago (C7): the chat is asked to prove it again, once
 * a day however often codes are asked for. Until then they go by the next channel. A crash on the way leaves it for
 * tomorrow.
 */
export function createAskProofAgain(options: AskProofAgainOptions): OnStaleChat {
  const { buckets, tenants, newId, log } = options;

  async function ask(database: Database, tenantId: string, chatId: string): Promise<void> {
    const tenant = tenants.byId(tenantId);
    if (!tenant) return;
    const { allowed } = await buckets.take(`prove-again:${tenantId}:${chatId}`, 1, DAY);
    if (!allowed) return;
    const language = (await findChat(database, tenantId, chatId))?.language ?? null;
    const { sql } = database;
    const now = database.now();
    const delivery = options.delivery();
    const message = delivery.queue(sql, {
      tenantId,
      verificationId: null,
      tollsTaken: false,
      content: {
        template: 'number_unproved',
        to: chatId,
        channel: 'telegram',
        locale: matchLocale(language === null ? [] : [language], messageLocales, tenant.locale),
        tenantName: tenant.name,
        name: null,
        code: null,
        expiresIn: DAY,
        proveAgain: `${PROVE_AGAIN_PREFIX}:`,
      },
      now,
      from: sql`(select 1) once`,
    });
    const recorded = recordEvent(sql, {
      tenantId,
      id: sql`${newId()}::uuid`,
      action: sql`'chat.proof_asked'`,
      actor: sql`'system'`,
      subject: sql`${`telegram_chat:${chatId}`}`,
      caller: undefined,
      now,
      from: sql`(select 1) once`,
    });
    await sql`with asked as (${message.insert}), audited as (${recorded}) select 1`;
    delivery.dispatch(database, message);
  }

  return (database, tenantId, chatId) => {
    ask(database, tenantId, chatId).catch((error: unknown) => {
      log.warn({ event: 'proof_not_asked', error }, 'a chat could not be asked to prove its number again');
    });
  };
}
