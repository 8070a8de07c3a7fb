import type { Database } from '../db/database.ts';
import type { MessageDetails, TemplateName } from './templates/templates.ts';

/** What is to be said and to whom. Sealed in the outbox; rendered only when it leaves. */
export interface MessageContent {
  template: TemplateName;
  /** E.164, an e-mail address as it was entered, or a Telegram chat id. */
  to: string;
  channel: string;
  locale: string;
  tenantName: string;
  /** How the person is greeted; null where no name is known. */
  name: string | null;
  /** Null for notices. */
  code: string | null;
  /** Seconds from the commit for which sending it still makes sense. */
  expiresIn: number;
  /** The data of the button that undoes what a notice in Telegram tells of. */
  undoMove?: string;
  /** The data of the button by which a chat proves its number again. */
  proveAgain?: string;
  /** For notices: what happened, where and when. */
  details?: MessageDetails;
}

/** A chat, as the channel `telegram` sends to it. */
export interface LinkedChat {
  chatId: string;
  /** Its number was proved there longer ago than was asked: by now it may be somebody else's. */
  isStale: boolean;
}

/**
 * The chat that an address is linked to; null when there is none. Asked when a message leaves, never by a request.
 * @param freshDays for how long a proof of the number counts; null: for ever
 */
export type ChatOf = (
  database: Database,
  tenantId: string,
  address: { kind: 'phone' | 'email' | 'telegram'; value: string },
  freshDays: number | null,
) => Promise<LinkedChat | null>;

/** Told of a chat that a code was kept from. Returns at once. */
export type OnStaleChat = (database: Database, tenantId: string, chatId: string) => void;

/** A message as a provider gets it: rendered, with the one address it goes to. */
export interface Envelope {
  id: string;
  tenantId: string;
  channel: string;
  /**
   * E.164, an e-mail address as it was entered, or a Telegram chat id. A phone on the channel `telegram` comes as E.164
   * to providers that reach people by phone, and as the linked chat's id to all others.
   */
  to: string;
  subject: string | null;
  text: string;
  html: string | null;
  /** For providers that carry the code themselves, and for the development inbox. */
  code: string | null;
  /** Seconds for which sending it still makes sense. */
  expiresIn: number;
  /** Rows of buttons under a message in Telegram, as the Bot API has them. */
  buttons?: readonly unknown[];
  /** Whose message it is, as an e-mail's From shows it. */
  senderName?: string;
  /** Where an answer to an e-mail goes; null: to the sender. */
  replyTo?: string | null;
  /** The language of the text, for providers with words of their own. */
  locale?: string;
  /** Which message it is, as `sign_in_code`. */
  template?: string;
  /** SMS for Android: the hash of the app that may read it. */
  androidHash?: string;
}

/** What a refusal asks for beside the next channel. */
export type Remedy =
  /** The address cannot be reached this way at all: remembered, and not tried again by this channel. */
  | 'suppress'
  /** Somebody has to look: credentials, configuration, money, or a guard of the provider that has struck. */
  | 'alarm';

/**
 * How a try went. `retry` may be tried again by the same way; `refused` never will be, and the message goes to the next
 * channel of its plan. `error` is the provider's own code or a word of ours: never text that came over the wire whole.
 */
export type SendResult =
  | { state: 'sent'; providerMessageId: string | null }
  | {
      state: 'retry';
      error: string;
      /** The provider wants quiet (Retry-After): nothing goes to it before. */
      retryAfterSeconds?: number;
      /** This message alone is to wait (greylisting). */
      notBeforeSeconds?: number;
    }
  | { state: 'refused'; error: string; remedy?: Remedy };

/** What a provider tells later about a message it took. Already authenticated by whoever made it. */
export interface DeliveryReport {
  /** The provider's name, as `Provider.name`. */
  provider: string;
  providerMessageId: string;
  /** Whose message it is, where the address that was called tells it. */
  tenantId?: string;
  state: 'sent' | 'delivered' | 'failed';
  error?: string;
  remedy?: Remedy;
}

/** What became of some reports. Repeated ones change nothing; unknown ones are looked for once more after a moment. */
export interface ReportOutcome {
  applied: number;
  repeated: number;
  unknown: number;
}

/**
 * A way to deliver. Two methods, so that a new one is one file: whether it can carry a channel, and sending.
 * send() may throw: that counts as `retry`. It must give up when the signal aborts.
 */
export interface Provider {
  readonly name: string;
  /** Tries under way at once, and tries begun in a second, that it bears; left out: those of its channel. */
  readonly limits?: { readonly concurrency?: number; readonly perSecond?: number };
  /** Carries only what no other provider carries: the development inbox. */
  readonly isStandIn?: boolean;
  /** It has words of its own: how long our text is changes nothing of its price. */
  readonly hasOwnText?: boolean;
  /** On the channel `telegram`: it finds people by their phone, where others need a chat. */
  readonly reachesByPhone?: boolean;
  /** @param tenantId whose message it is: a provider may be one tenant's own */
  carries(channel: string, tenantId?: string): boolean;
  send(envelope: Envelope, signal: AbortSignal): Promise<SendResult>;
  /** The code was proved: feedback by which the provider learns what arrives. May throw. */
  approve?(providerMessageId: string, signal: AbortSignal): Promise<void>;
  /** The code was spent or replaced elsewhere: takes the message back where that is possible. May throw. */
  revoke?(providerMessageId: string, signal: AbortSignal): Promise<void>;
}
