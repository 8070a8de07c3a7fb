/** A message as a provider gets it: rendered, with the one address it goes to. */
export interface Envelope {
  id: string;
  tenantId: string;
  channel: string;
  /** E.164, an e-mail address as it was entered, or a Telegram chat id. */
  to: string;
  subject: string | null;
  text: string;
  html: string | null;
  /** For providers that carry the code themselves, and for the development inbox. */
  code: string | null;
  /** Seconds for which sending it still makes sense. */
  expiresIn: number;
  /** Whose message it is, as an e-mail's From shows it. */
  senderName?: string;
  /** Where an answer to an e-mail goes; null: to the sender. */
  replyTo?: string | null;
}

/** How a try went. `retry` may be tried again by the same way; `refused` never will be. */
export type SendResult =
  | { state: 'sent'; providerMessageId: string | null }
  | { state: 'retry'; error: string; retryAfterSeconds?: number }
  | { state: 'refused'; error: string };

/**
 * A way to deliver. Two methods, so that a new one is one file: whether it can carry a channel, and sending.
 * send() may throw: that counts as `retry`. It must give up when the signal aborts.
 */
export interface Provider {
  readonly name: string;
  carries(channel: string): boolean;
  send(envelope: Envelope, signal: AbortSignal): Promise<SendResult>;
}
