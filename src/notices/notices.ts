import type { Database, Fragment, Sql } from '../db/database.ts';
import type { Delivery, QueuedMessage } from '../delivery/delivery.ts';
import type { Log } from '../kernel/log.ts';
import { createLru } from '../kernel/lru.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import { findUser } from '../users/users.ts';
import {
  hasLink,
  isLockout,
  type Lockout,
  linkToken,
  type NoticeKind,
  readLinkToken,
  recipientsOf,
  templateOf,
} from './policy.ts';
import {
  claimUntold,
  dispute,
  disputeChanges,
  type NotedIdentity,
  type NoticeDetails,
  type NoticeRecord,
  type NoticeRow,
  readDisputable,
  sweepNotices,
  tellFragment,
  tellLockout,
} from './store.ts';

export type { NotedIdentity, NoticeDetails, NoticeKind, NoticeRow };
export { eraseNotices } from './person-store.ts';
export { dispute, disputeChanges, sweepNotices };

/** Telling an account's owner what happened to it, and hearing "this was not me". */
export interface Notices {
  /** `insert …` for the `with` list of the statement that it tells of. */
  tell(sql: Sql, notice: Omit<NoticeRecord, 'id'>): Fragment;
  /**
   * The owner of an address is told, once a day, that too many wrong attempts have locked it. Returns at once.
   * @param since when the lock began, as far as it is known: what this server has told of is not looked at again
   */
  tellLockout(
    tenantId: string,
    lockout: { kind: Lockout; address: { kind: string; value: string }; details: NoticeDetails },
    since?: Date,
  ): void;
  /** Makes messages of what a statement has just committed; returns at once. The worker would find it, too. */
  deliverSoon(database: Database): void;
  /** Makes messages of the notices that wait in a database. Returns how many there were. */
  deliverDue(database: Database): Promise<number>;
  /** The notice behind a link, while it may be used; it stays unused. */
  findByLink(token: string): Promise<{ tenant: Tenant; notice: NoticeRow } | undefined>;
}

export interface NoticesOptions {
  tenants: Tenants;
  databaseOf: (tenantId: string) => Database;
  delivery: Delivery;
  /** The address as a message may show it. */
  mask: (address: { kind: NotedIdentity['kind']; value: string }) => string;
  secrets: Secrets;
  publicUrl: string;
  newId: () => string;
  log: Log;
}

const AT_ONCE = 20;

export function createNotices(options: NoticesOptions): Notices {
  const { tenants, databaseOf, delivery, secrets, newId } = options;
  const told = createLru<string, true>(10_000);

  /** The messages of a notice, queued in the transaction that marks it as told. */
  async function messagesOf(sql: Sql, database: Database, notice: NoticeRow): Promise<QueuedMessage[]> {
    const tenant = tenants.byId(notice.tenant_id);
    const user = tenant && (await findUser(database, tenant.id, notice.user_id));
    // Nothing is ever sent to a test address.
    if (!tenant || !user || user.test_entry !== null || notice.expires_in === 0) return [];
    const { added, removed } = notice.details;
    const proved = user.identities.filter(
      (identity) => identity.verified_at !== null && identity.id !== added?.id,
    );
    const used = notice.used_kind === null ? null : `${notice.used_kind}:${notice.used_value}`;
    const queued: QueuedMessage[] = [];
    for (const recipient of recipientsOf<NotedIdentity>(notice.kind, proved, used, removed)) {
      const [channel] = delivery.planOf(tenant, recipient, undefined);
      if (channel === undefined) continue;
      const message = delivery.queue(sql, {
        tenantId: tenant.id,
        verificationId: null,
        tollsTaken: false,
        content: {
          template: templateOf(notice.kind),
          to: recipient.kind === 'email' ? recipient.as_entered : recipient.value,
          channel,
          locale: user.locale ?? tenant.locale,
          tenantName: tenant.name,
          name: user.first_name,
          code: null,
          expiresIn: notice.expires_in,
          details: detailsOf(notice, tenant.id),
        },
        now: database.now(),
        from: sql`(select 1) once`,
      });
      await sql`${message.insert}`;
      queued.push(message);
    }
    return queued;
  }

  function detailsOf(notice: NoticeRow, tenantId: string) {
    const { device, place, added, removed } = notice.details;
    const { used_kind: kind, used_value: value } = notice;
    const isAboutUsed = isLockout(notice.kind) || notice.kind === 'number_taken_over';
    const used = isAboutUsed && kind !== null && value !== null ? { kind, value } : undefined;
    const about = added ?? removed ?? used;
    return {
      ...(device === undefined ? {} : { deviceName: device }),
      ...(place === undefined ? {} : { place }),
      ...(about === undefined ? {} : { address: options.mask(about) }),
      at: notice.created_at.toISOString(),
      ...(hasLink(notice.kind)
        ? { link: `${options.publicUrl}/not-me/${linkToken(secrets, tenantId, notice.id)}` }
        : {}),
    };
  }

  async function deliverDue(database: Database): Promise<number> {
    const { count, queued } = await database.transaction(async (begun) => {
      const sql = begun as unknown as Sql;
      const notices = await claimUntold(sql, database.now(), AT_ONCE);
      const messages: QueuedMessage[] = [];
      for (const notice of notices) messages.push(...(await messagesOf(sql, database, notice)));
      return { count: notices.length, queued: messages };
    });
    for (const message of queued) delivery.dispatch(database, message);
    return count;
  }

  function deliverSoon(database: Database): void {
    setImmediate(() => {
      deliverDue(database).catch((error: unknown) =>
        options.log.warn({ event: 'notices_wait', error }, 'notices wait for the next round'),
      );
    });
  }

  return {
    tell: (sql, notice) => tellFragment(sql, { ...notice, id: newId() }),
    tellLockout(tenantId, lockout, since) {
      const { kind, value } = lockout.address;
      const lock = `${tenantId} ${kind}:${value} ${since?.getTime() ?? ''}`;
      if (since && told.get(lock)) return;
      const database = databaseOf(tenantId);
      tellLockout(database, { tenantId, ...lockout }).then(
        (isNew) => {
          told.set(lock, true);
          if (isNew) deliverSoon(database);
        },
        // The next guess at the locked address tries again.
        (error: unknown) => options.log.warn({ event: 'lockout_untold', error }, 'a lock was not told'),
      );
    },
    deliverSoon,
    deliverDue,
    async findByLink(token) {
      const named = readLinkToken(secrets, token, tenants.all());
      if (!named) return undefined;
      const { tenant, noticeId } = named;
      const notice = await readDisputable(databaseOf(tenant.id), tenant.id, noticeId);
      return notice && { tenant, notice };
    },
  };
}
