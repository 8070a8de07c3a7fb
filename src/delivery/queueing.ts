import type { Fragment, Sql } from '../db/database.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { kindOfRecipient, planChannels, type Ways } from './plan.ts';
import type { ChatOf, MessageContent } from './provider.ts';
import { sealingContextOf } from './task.ts';

export interface QueueMessageOptions {
  tenantId: string;
  /** The verification whose code it carries; null for notices. */
  verificationId: string | null;
  content: MessageContent;
  now: Fragment;
  /** SQL: when it may go out; left out: at once. */
  due?: Fragment;
  /** Written but never sent, so that an answer to a stranger costs the same. */
  decoy?: boolean;
  /** SQL after `from`: queued once for each row. */
  from: Fragment;
}

/** A message whose statement has been built; to be handed over once that statement is committed. */
export interface QueuedMessage {
  insert: Fragment;
  id: string;
  tenantId: string;
  plan: readonly string[];
  content: MessageContent;
}

export interface QueueingOptions {
  outbox: Outbox;
  providers: Ways['providers'];
  secrets: Secrets;
  newId: () => string;
  tenantOf: (tenantId: string) => Tenant | undefined;
  chatOf?: ChatOf;
}

/** Makes the row of a message: `insert …` for a `with` list. */
export function createQueueing(
  options: QueueingOptions,
): (sql: Sql, message: QueueMessageOptions) => QueuedMessage {
  const { outbox, secrets, newId } = options;
  const ways = { providers: options.providers, knowsChats: options.chatOf !== undefined };

  /** A message's channel, and after it those it may go on to. */
  function planMessage(tenantId: string, { channel, to }: MessageContent): readonly string[] {
    const tenant = options.tenantOf(tenantId);
    const planned = tenant && planChannels(ways, tenant, { kind: kindOfRecipient(to), value: to }, channel);
    return planned?.[0] === channel ? planned : [channel];
  }

  return (sql, message) => {
    const id = newId();
    const { content, tenantId } = message;
    const plan = planMessage(tenantId, content);
    const insert = outbox.queue(sql, {
      tenantId,
      id,
      verificationId: message.verificationId,
      channel: content.channel,
      plan,
      template: content.template,
      locale: content.locale,
      payload: secrets.seal(JSON.stringify(content), sealingContextOf(id)),
      now: message.now,
      ...(message.due ? { due: message.due } : {}),
      ...(message.decoy ? { decoy: true } : {}),
      expiresAt: sql`${message.due ?? message.now} + make_interval(secs => ${content.expiresIn})`,
      from: message.from,
    });
    return { insert, id, tenantId, plan, content };
  };
}
