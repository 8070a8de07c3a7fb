import { EventEmitter } from 'node:events';
import { type Database, hexArray } from '../../db/database.ts';
import { isUuid } from '../../kernel/id.ts';
import { createBatcher } from '../../kernel/batcher.ts';
import { parseEmail } from '../../kernel/email.ts';
import { parsePhone } from '../../kernel/phone.ts';
import type { Secrets } from '../../kernel/secrets.ts';
import type { Envelope, Provider } from '../provider.ts';

/** A message as GET /dev/messages shows it. */
export interface InboxMessage {
  id: string;
  tenantId: string;
  channel: string;
  to: string;
  subject: string | null;
  text: string;
  html: string | null;
  code: string | null;
  /** Of the simulated Telegram: rows of buttons as the Bot API has them. */
  buttons?: unknown[];
  created_at: string;
}

/** Who asks for the messages of one recipient. */
interface Look {
  to: string;
  limit: number;
  after: string | null;
}

interface InboxRow {
  id: string;
  tenant_id: string;
  recipient: string;
  sealed: Buffer;
  created_at: Date;
}

export interface DevelopmentInbox extends Provider {
  /** The newest messages, of one recipient or of all, newest first. @param to in whatever form @param after only newer ones than this one */
  list(to: string | undefined, limit: number, after?: string): Promise<InboxMessage[]>;
  /** Resolves once this server has carried a message to the recipient; or after so long, as another server may have. */
  arrival(to: string | undefined, milliseconds: number): Promise<void>;
  /** One message, while it is kept. @param id as it came in an address: anything */
  find(id: string): Promise<InboxMessage | undefined>;
  /** Keeps the newest so many. */
  trim(keep: number): Promise<void>;
}

/** What is told of a message that was carried. */
const eventOf = (to: string | undefined): string => (to === undefined ? 'any' : `to ${to}`);

/** Carries every channel into a table: what would have gone out. Its rows are sealed, as they hold codes. */
export function createDevelopmentInbox(
  database: Database,
  secrets: Secrets,
  newId: () => string,
): DevelopmentInbox {
  const { sql } = database;
  const arrivals = new EventEmitter().setMaxListeners(0);
  const writer = createBatcher<Envelope, void>({
    maxBatch: 200,
    async flush(envelopes) {
      const ids = envelopes.map(() => newId());
      const sealed = envelopes.map((envelope, index) => {
        const { channel, subject, text, html, code, buttons } = envelope;
        return secrets.seal(
          JSON.stringify({ channel, subject, text, html, code, buttons }),
          `inbox:${ids[index]}`,
        );
      });
      await sql`
        insert into dev_inbox (id, tenant_id, recipient, sealed, created_at)
        select id, tenant_id, recipient, decode(sealed, 'hex'), ${database.now()}
        from unnest(${ids}::uuid[], ${envelopes.map((envelope) => envelope.tenantId)}::uuid[],
          ${envelopes.map((envelope) => envelope.to)}::text[], ${hexArray(sealed)}::text[])
          as m (id, tenant_id, recipient, sealed)`;
      for (const { to } of envelopes) arrivals.emit(eventOf(to));
      arrivals.emit(eventOf(undefined));
      return envelopes.map(() => undefined);
    },
  });

  function read(row: InboxRow): InboxMessage[] {
    try {
      const content = JSON.parse(secrets.open(row.sealed, `inbox:${row.id}`).toString()) as Omit<
        InboxMessage,
        'id' | 'tenantId' | 'to' | 'created_at'
      >;
      const created_at = row.created_at.toISOString();
      return [{ id: row.id, tenantId: row.tenant_id, to: row.recipient, ...content, created_at }];
    } catch {
      return []; // Sealed with a secret of an earlier run: unreadable now, and of no use.
    }
  }

  // A load program looks as often as it sends: looks that come together are one query.
  const looks = createBatcher<Look, InboxMessage[]>({
    maxBatch: 200,
    async flush(wanted) {
      const rows = await sql<(InboxRow & { look: number })[]>`
        select w.look, m.* from unnest(${wanted.map((_, look) => look)}::int[], ${wanted.map(({ to }) => to)}::text[],
            ${wanted.map(({ limit }) => limit)}::int[], ${wanted.map(({ after }) => after)}::uuid[])
            as w (look, recipient, most, after),
          lateral (select id, tenant_id, recipient, sealed, created_at from dev_inbox
            where recipient = w.recipient and (w.after is null or id > w.after) order by id desc limit w.most) m
        order by w.look, m.id desc`;
      const found = wanted.map((): InboxMessage[] => []);
      for (const row of rows) found[row.look]?.push(...read(row));
      return found;
    },
  });

  return {
    name: 'development-inbox',
    isStandIn: true,
    carries: () => true,
    async send(envelope) {
      await writer.add(envelope);
      return { state: 'sent', providerMessageId: envelope.id };
    },
    async list(to, limit, after) {
      if (to !== undefined) return looks.add({ to: canonicalRecipient(to), limit, after: after ?? null });
      const rows = await sql<InboxRow[]>`
        select id, tenant_id, recipient, sealed, created_at from dev_inbox
        where ${after === undefined ? sql`true` : sql`id > ${after}::uuid`}
        order by id desc limit ${limit}`;
      return rows.flatMap(read);
    },
    arrival(to, milliseconds) {
      const event = eventOf(to === undefined ? undefined : canonicalRecipient(to));
      return new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          arrivals.off(event, end);
          resolve();
        };
        const timer = setTimeout(end, milliseconds).unref();
        arrivals.on(event, end);
      });
    },
    async find(id) {
      if (!isUuid(id)) return undefined;
      const rows = await sql<InboxRow[]>`
        select id, tenant_id, recipient, sealed, created_at from dev_inbox where id = ${id}::uuid`;
      return rows.flatMap(read)[0];
    },
    async trim(keep) {
      await sql`
        delete from dev_inbox where id < (select id from dev_inbox order by id desc offset ${keep} limit 1)`;
    },
  };
}

/** A + in a query string arrives as a space; people paste addresses in every form. */
function canonicalRecipient(to: string): string {
  const phone = parsePhone(to.startsWith(' ') ? `+${to.trim()}` : to);
  if (phone.ok) return phone.phone;
  const email = parseEmail(to);
  return email.ok ? email.asEntered : to;
}
