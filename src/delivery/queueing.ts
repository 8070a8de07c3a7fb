import type { Fragment, Sql } from '../db/database.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { GivenMessage, Outbox } from '../outbox/outbox.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { kindOfRecipient, planChannels, type Ways } from './plan.ts';
import type { ChatOf, MessageContent } from './provider.ts';
import { costsMoney } from '../tolls/tolls.ts';
import { mostCost } from './prices.ts';
import { microsOf, sealingContextOf } from './task.ts';
import type { TollGate } from './toll-gate.ts';

export interface QueueMessageOptions {
  tenantId: string;
  /** The verification whose code it carries; null for notices. */
  verificationId: string | null;
  content: MessageContent;
  now: Fragment;
  /** SQL: when it may go out; left out: at once. */
  due?: Fragment;
  /** Were the tolls of its channel taken by whoever asks for it? If not they are, before it leaves. */
  tollsTaken: boolean;
  /** Written but never sent, so that an answer to a stranger costs the same. */
  decoy?: boolean;
  /** SQL after `from`: queued once for each row. */
  from: Fragment;
}

/** A message made ready; to be handed over once the statement that writes it is committed. */
export interface PreparedMessage {
  id: string;
  tenantId: string;
  plan: readonly string[];
  content: MessageContent;
  /** What was taken from the tolls for it, in the tenant's currency; null: nothing. */
  tollPrice: number | null;
}

/** The same, with the part of a statement that writes it. */
export interface QueuedMessage extends PreparedMessage {
  insert: Fragment;
}

/** What makes a message's row, whoever writes it. */
export type MessageWanted = Pick<
  QueueMessageOptions,
  'tenantId' | 'verificationId' | 'content' | 'tollsTaken' | 'decoy'
>;

/** Makes messages ready, for a statement of their own or one that they share. */
export interface Queueing {
  /** `insert …` for a `with` list. */
  queue(sql: Sql, message: QueueMessageOptions): QueuedMessage;
  /** The message as a row of `given`; see queueEach. */
  prepare(message: MessageWanted): { prepared: PreparedMessage; row: GivenMessage };
}

export interface QueueingOptions {
  outbox: Outbox;
  providers: Ways['providers'];
  secrets: Secrets;
  newId: () => string;
  tenantOf: (tenantId: string) => Tenant | undefined;
  chatOf?: ChatOf;
  tolls?: TollGate | undefined;
}

/** Makes the rows of messages. */
export function createQueueing(options: QueueingOptions): Queueing {
  const { outbox, secrets, newId } = options;
  const ways = {
    providers: options.providers,
    knowsChats: options.chatOf !== undefined,
    tolls: options.tolls,
  };

  /** A message's channel, and after it those it may go on to. */
  function planMessage(tenant: Tenant | undefined, { channel, to }: MessageContent): readonly string[] {
    const planned = tenant && planChannels(ways, tenant, { kind: kindOfRecipient(to), value: to }, channel);
    return planned?.[0] === channel ? planned : [channel];
  }

  function make({ tenantId, content, tollsTaken, decoy = false }: MessageWanted) {
    const id = newId();
    const tenant = options.tenantOf(tenantId);
    const plan = planMessage(tenant, content);
    const isPaid = tenant !== undefined && tollsTaken && !decoy && costsMoney(content.channel);
    const tollPrice = isPaid ? mostCost(options.providers, tenant, content.channel, content.to) : null;
    const payload = secrets.seal(JSON.stringify(content), sealingContextOf(id));
    return { id, tenantId, plan, content, tollPrice, payload };
  }

  return {
    queue(sql, message) {
      const { payload, ...prepared } = make(message);
      const { id, tenantId, plan, content, tollPrice } = prepared;
      const insert = outbox.queue(sql, {
        tenantId,
        id,
        verificationId: message.verificationId,
        channel: content.channel,
        plan,
        template: content.template,
        locale: content.locale,
        payload,
        now: message.now,
        ...(message.due ? { due: message.due } : {}),
        ...(message.decoy ? { decoy: true } : {}),
        ...(tollPrice === null ? {} : { tollMicros: microsOf(tollPrice) }),
        expiresAt: sql`${message.due ?? message.now} + make_interval(secs => ${content.expiresIn})`,
        from: message.from,
      });
      return { ...prepared, insert };
    },
    prepare(message) {
      const { payload, ...prepared } = make(message);
      const { id, plan, content, tollPrice } = prepared;
      const row: GivenMessage = {
        message_id: id,
        message_verification_id: message.verificationId,
        channel: content.channel,
        plan: JSON.stringify(plan),
        template: content.template,
        locale: content.locale,
        payload_sealed: message.decoy ? null : payload.toString('hex'),
        toll_micros: tollPrice === null ? null : microsOf(tollPrice),
        lives_seconds: content.expiresIn,
      };
      return { prepared, row };
    },
  };
}
