import { createTransport } from 'nodemailer';
import type { SmtpServer } from '../../config/mail-settings.ts';
import type { Envelope, Provider, SendResult } from '../provider.ts';
import { oneLine } from '../templates/display-text.ts';

export interface SmtpOptions {
  server: SmtpServer;
  /** The address of every From. */
  from: string;
  /** Milliseconds; the time for one whole message is the caller's signal. */
  timeouts?: { connect: number; greeting: number; idle: number };
  /** Certificates to trust beside the system's, for a mail server of one's own (PEM). */
  certificateAuthority?: string;
}

const TIMEOUTS = { connect: 4000, greeting: 4000, idle: 8000 };
/** Greylisting asks to come back in a minute or so; sooner would only use up the tries. */
const BUSY_SECONDS = 45;
/** The server refused us, not the recipient: the operator can mend it while the message waits. */
const NOT_THE_RECIPIENT = new Set([530, 534, 535, 538]);

/** E-mail by SMTP: pooled connections, TLS, one recipient a message. */
export function createSmtpProvider(options: SmtpOptions): Provider & { close(): void } {
  const { server, from } = options;
  const timeouts = options.timeouts ?? TIMEOUTS;
  const transport = createTransport({
    pool: true,
    maxConnections: server.connections,
    maxMessages: 100,
    // The outbox tries again, with its own delays and its own count.
    maxRequeues: 1,
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    requireTLS: server.tls === 'required',
    ignoreTLS: server.tls === 'off',
    ...(server.user === undefined ? {} : { auth: { user: server.user, pass: server.password ?? '' } }),
    connectionTimeout: timeouts.connect,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.idle,
    dnsTimeout: timeouts.connect,
    tls: {
      minVersion: 'TLSv1.2',
      ...(options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority }),
    },
    // Nothing of a message is ever read from a file or fetched, whatever a field holds.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.slice(from.lastIndexOf('@') + 1);

  async function send(envelope: Envelope, signal: AbortSignal): Promise<SendResult> {
    try {
      // The signal takes a message back from the pool's queue too: no code goes out after it was given up.
      const info = await transport.sendMail({ ...mailOf(envelope, from, domain), signal });
      return { state: 'sent', providerMessageId: info.messageId ?? null };
    } catch (fault) {
      return explainFault(fault);
    }
  }

  return {
    name: 'smtp',
    // Beyond them a message would wait in the pool with its time running, and a slow server would count as one that fails.
    limits: { concurrency: server.connections },
    carries: (channel) => channel === 'email',
    send,
    close: () => transport.close(),
  };
}

/**
 * A message as nodemailer takes it. Addresses are objects: in a string, a comma or a line break would make a second
 * recipient of what a person typed.
 */
export function mailOf(envelope: Envelope, from: string, domain: string) {
  const sender = { name: oneLine(envelope.senderName ?? ''), address: from };
  const recipient = { name: '', address: envelope.to };
  return {
    from: sender,
    to: recipient,
    envelope: { from, to: [envelope.to] },
    ...(envelope.replyTo ? { replyTo: { name: sender.name, address: envelope.replyTo } } : {}),
    subject: oneLine(envelope.subject ?? ''),
    text: envelope.text,
    ...(envelope.html === null ? {} : { html: envelope.html }),
    // The same for each try: a mailbox that got it twice after a lost answer can show it once.
    messageId: `<${envelope.id}@${domain}>`,
    headers: {
      // RFC 3834 and Exchange: no out-of-office note comes back.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

interface SmtpFault {
  code?: unknown;
  command?: unknown;
  responseCode?: unknown;
  response?: unknown;
}

/**
 * What a failed try means (RFC 5321 4.2.1). A 5xx answer to the recipient or the message is final. A 4xx answer is
 * tried again, not at once. Everything before that (name, connection, TLS, greeting, sign-in) says nothing about the
 * recipient and is tried again; a sender that is not taken asks for somebody to look, as nothing will go out. Only
 * numbers are kept: servers quote addresses and content in their sentences.
 */
export function explainFault(fault: unknown): SendResult {
  const { code, command, responseCode, response } = (fault ?? {}) as SmtpFault;
  const status = typeof responseCode === 'number' ? responseCode : undefined;
  const detail = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(
    typeof response === 'string' ? response : '',
  )?.[1];
  const stage = typeof code === 'string' && /^[A-Z_]{3,20}$/.test(code) ? code : 'failed';
  const aboutSender = command === 'MAIL FROM';
  const words = ['smtp', stage, status, detail, aboutSender ? 'sender' : undefined];
  const error = words.filter((part) => part !== undefined).join(' ');
  const aboutMessage = stage === 'EENVELOPE' || stage === 'EMESSAGE';
  if (status === undefined || !aboutMessage) return { state: 'retry', error };
  if (status >= 500 && !NOT_THE_RECIPIENT.has(status)) {
    return { state: 'refused', error, ...(aboutSender ? { remedy: 'alarm' as const } : {}) };
  }
  if (status >= 500 && aboutSender) return { state: 'retry', error };
  return { state: 'retry', error, notBeforeSeconds: BUSY_SECONDS };
}
