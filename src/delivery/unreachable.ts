import { recordEvent } from '../audit/audit.ts';
import type { Database } from '../db/database.ts';
import { parseEmail } from '../kernel/email.ts';
import { kindOfRecipient } from './plan.ts';
import { forgetFragment, readUnreachable, type UnreachableRow } from './store.ts';

export type { UnreachableRow };

/** Whom providers call out of reach: for operators, who are asked why no code comes. */
export interface Unreachable {
  /** The newest of those that still hold. @param recipient one address, however its letters are cased */
  list(database: Database, query: { tenantId: string | null; recipient?: string }): Promise<UnreachableRow[]>;
  /** Lets a channel be tried again at once, on every server. */
  forget(database: Database, row: UnreachableRow): Promise<void>;
}

export function createUnreachable({ newId }: { newId: () => string }): Unreachable {
  return {
    list: readUnreachable,
    async forget(database, row) {
      const { sql } = database;
      const now = database.now();
      const recorded = recordEvent(sql, {
        tenantId: row.tenant_id,
        id: sql`${newId()}::uuid`,
        action: sql`'delivery.unreachable_forgotten'`,
        actor: sql`'system'`,
        subject: sql`${subjectOf(row)}::text`,
        caller: undefined,
        now,
        data: sql`jsonb_build_object('channel', forgotten.channel, 'provider', forgotten.provider)`,
        from: sql`forgotten`,
      });
      await sql`with ${forgetFragment(sql, row)}, recorded as (${recorded}) select from told`;
    },
  };
}

/** As every event names an address: an e-mail address goes out as it was entered. */
function subjectOf({ recipient }: UnreachableRow): string {
  const email = parseEmail(recipient);
  return `${kindOfRecipient(recipient)}:${email.ok ? email.email : recipient}`;
}
