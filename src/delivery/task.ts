import type { Database } from '../db/database.ts';
import { phonePrefix } from '../kernel/phone.ts';
import type { Settlement } from '../outbox/outbox.ts';
import { brandOf, type Tenant } from '../tenants/tenants.ts';
import { kindOfRecipient } from './plan.ts';
import type { Envelope, MessageContent, SendResult } from './provider.ts';
import { renderMessage, undoLabel } from './templates/templates.ts';

/** A leased message in memory, on its way to a provider. */
export interface Task {
  database: Database;
  tenantId: string;
  id: string;
  /** The channel whose turn it is, and those it may go by in all. */
  channel: string;
  plan: readonly string[];
  /** Providers that have failed for this channel. */
  tried: readonly string[];
  /** Tries by this channel, the one that is about to be made included. */
  attempts: number;
  content: MessageContent;
  /** Seconds for which sending it still makes sense. */
  expiresIn: number;
  /** When the lease was taken, in milliseconds; an old one may be somebody else's by now. */
  leasedAt: number;
}

/** A task's end or next step, with nothing said beyond its state. */
export function settlementOf(task: Task, state: Settlement['state']): Settlement {
  const { tenantId, id, channel, tried, attempts } = task;
  return {
    ...{ tenantId, id, state, channel, tried, attempts },
    ...{ error: null, retryInSeconds: 0, nextChannelIn: null, send: null },
  };
}

/** The record of a hand-over, or of a refusal. */
export function sendOf(
  { channel, content }: Task,
  provider: string,
  result: Exclude<SendResult, { state: 'retry' }>,
  country: string | null,
  price: number,
  tookMilliseconds: number,
): Settlement['send'] {
  const prefix = kindOfRecipient(content.to) === 'phone' ? phonePrefix(content.to) : null;
  const told =
    result.state === 'sent'
      ? { state: result.state, providerMessageId: result.providerMessageId, error: null }
      : { state: result.state, providerMessageId: null, error: result.error };
  return { channel, provider, ...told, country, prefix, price, tookMilliseconds };
}

/** The message as a provider gets it, rendered for the channel whose turn it is. */
export function envelopeOf(
  { id, tenantId, content, channel, expiresIn }: Task,
  tenant: Tenant,
  to: string,
): Envelope {
  const brand = brandOf(tenant);
  const { autofillHost: host, androidAppHash: androidHash } = tenant.policy.sms;
  return {
    ...(channel === 'sms' && androidHash !== null ? { androidHash } : {}),
    ...(content.undoMove === undefined
      ? {}
      : { buttons: [[{ text: undoLabel(content.locale), callback_data: content.undoMove }]] }),
    ...renderMessage({ ...content, channel, expiresIn, autofill: { host, androidHash } }, brand),
    ...{ id, tenantId, channel, to, code: content.code, expiresIn },
    senderName: brand.name,
    locale: content.locale,
    template: content.template,
    replyTo: brand.supportAddress ?? null,
  };
}

/** What a payload is sealed for: it opens in its own row and no other. */
export const sealingContextOf = (id: string): string => `message:${id}`;
