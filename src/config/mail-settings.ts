import { parseEmail } from '../kernel/email.ts';

/** Where and how mail is handed over. */
export interface SmtpServer {
  host: string;
  port: number;
  /**
   * implicit: TLS from the first byte (port 465). required: STARTTLS, or nothing is sent. opportunistic: STARTTLS where
   * it is offered. off: in the clear.
   */
  tls: 'implicit' | 'required' | 'opportunistic' | 'off';
  user: string | undefined;
  password: string | undefined;
  /** Connections at once, each used for many messages. */
  connections: number;
}

/** The address that mail comes from. */
export type MailSender = string;

const TLS_CHOICES = ['required', 'opportunistic', 'off'] as const;

const CONNECTIONS = 5;

/** Reads `smtps://user:password@host:465` or `smtp://…:587?tls=required|opportunistic|off`, each with `connections=5`. */
export function parseSmtpUrl(
  text: string,
): { ok: true; server: SmtpServer } | { ok: false; message: string } {
  const refuse = (message: string): { ok: false; message: string } => ({ ok: false, message });
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') {
    return refuse('must look like smtps://user:password@host:465 or smtp://user:password@host:587');
  }
  const implicit = url.protocol === 'smtps:';
  const wish = url.searchParams.get('tls');
  const tls = TLS_CHOICES.find((choice) => choice === wish);
  const most = url.searchParams.get('connections') ?? String(CONNECTIONS);
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'tls' && name !== 'connections');
  if (unknown !== undefined || (wish !== null && (tls === undefined || implicit))) {
    return refuse(
      'may end in ?tls=required, ?tls=opportunistic or ?tls=off (smtp:// only), and connections=1 to 100; nothing else',
    );
  }
  if (!/^([1-9]\d?|100)$/.test(most)) return refuse('may have connections=1 to connections=100');
  if (/[\r\n]/.test(text) || (url.pathname !== '' && url.pathname !== '/')) {
    return refuse('may not have a path');
  }
  let user: string;
  let password: string;
  try {
    [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  } catch {
    return refuse('has a % in its user or password that must be written as %25');
  }
  return {
    ok: true,
    server: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (implicit ? 465 : 587) : Number(url.port),
      tls: implicit ? 'implicit' : (tls ?? 'required'),
      user: user === '' ? undefined : user,
      password: password === '' ? undefined : password,
      connections: Number(most),
    },
  };
}

/** Reads the sender; undefined when it is no address. */
export function parseSender(text: string): MailSender | undefined {
  const parsed = parseEmail(text);
  return parsed.ok ? parsed.asEntered : undefined;
}
