import type { Database } from '../db/database.ts';
import { phonePrefix } from '../kernel/phone.ts';
import type { Settlement } from '../outbox/outbox.ts';
import { brandOf, type Tenant } from '../tenants/tenants.ts';
import { kindOfRecipient } from './plan.ts';
import type { Envelope, MessageContent, SendResult } from './provider.ts';
import { proveAgainLabel, renderMessage, undoLabel } from './templates/templates.ts';

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
  /** The tolls taken for the channel whose turn it is, as long as no try has spent them. */
  toll: TakenToll | null;
}

/** A task whose content could perhaps not be opened. */
export type Claimed = Omit<Task, 'content'> & { content: MessageContent | null };

export const isOpened = (claimed: Claimed): claimed is Task => claimed.content !== null;

/** What was taken from the tolls for one message by one channel. */
export interface TakenToll {
  /** In the tenant's currency. */
  price: number;
  /** By a clock that only runs forward, in milliseconds. */
  takenAt: number;
}

const MICROS = 1_000_000;

export const microsOf = (price: number): number => Math.round(price * MICROS);

/** How long ago a toll was taken. */
export function secondsSince({ takenAt }: TakenToll): number {
  return (performance.now() - takenAt) / 1000;
}

/** As the outbox keeps it. */
function keptToll(toll: TakenToll | null): Settlement['toll'] {
  if (!toll) return null;
  return {
    micros: microsOf(toll.price),
    secondsAgo: secondsSince(toll),
  };
}

/** As a task holds it. */
export function heldToll(micros: number | null, secondsAgo: number | null): TakenToll | null {
  if (micros === null || secondsAgo === null) return null;
  return { price: micros / MICROS, takenAt: performance.now() - secondsAgo * 1000 };
}

/** A task's end or next step, with nothing said beyond its state. */
export function settlementOf(task: Claimed, state: Settlement['state']): Settlement {
  const { tenantId, id, channel, tried, attempts } = task;
  return {
    ...{ tenantId, id, state, channel, tried, attempts },
    ...{ error: null, retryInSeconds: 0, nextChannelIn: null, send: null, toll: keptToll(task.toll) },
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

/** The one button that a message in Telegram may have. */
function buttonsOf({ locale, undoMove, proveAgain }: Task['content']): Pick<Envelope, 'buttons'> {
  const button =
    undoMove !== undefined
      ? { text: undoLabel(locale), callback_data: undoMove }
      : proveAgain !== undefined
        ? { text: proveAgainLabel(locale), callback_data: proveAgain }
        : undefined;
  return button ? { buttons: [[button]] } : {};
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
    ...buttonsOf(content),
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
