import { isIP } from 'node:net';
import { type MailSender, parseSender, parseSmtpUrl, type SmtpServer } from './mail-settings.ts';
import { BadSetting } from './setting.ts';

/* What settings are read by: each gives the value, or throws BadSetting with what would be right. */

export function oneOf<const T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new BadSetting(`must be one of ${values.join(', ')}`);
    return value;
  };
}

/** For a reader that answers undefined: `advice` completes the sentence "NAME …". */
export function required<T>(read: (text: string) => T | undefined, advice: string): (text: string) => T {
  return (text) => {
    const value = read(text);
    if (value === undefined) throw new BadSetting(advice);
    return value;
  };
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new BadSetting(`must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

export function port(text: string): number {
  return wholeNumber(0, 65_535)(text);
}

export function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.search || url.hash) {
    throw new BadSetting('must be an http or https address without user, query or fragment');
  }
  return url.href.replace(/\/+$/, '');
}

export function databaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new BadSetting('must be a URL that begins with postgres://');
  }
  return text;
}

export function smtpServer(text: string): SmtpServer {
  const parsed = parseSmtpUrl(text);
  if (!parsed.ok) throw new BadSetting(parsed.message);
  return parsed.server;
}

export function mailSender(text: string): MailSender {
  const sender = parseSender(text);
  if (!sender) throw new BadSetting('must be an e-mail address such as no-reply@auth.example.com');
  return sender;
}

/** `us=postgres://…,uz=postgres://…`: the databases of markets by name. */
export function namedDatabases(text: string): ReadonlyMap<string, string> {
  const databases = new Map<string, string>();
  for (const part of splitList(text)) {
    const match = /^([a-z0-9][a-z0-9-]*)=(.+)$/.exec(part);
    if (!match?.[1] || !match[2]) throw new BadSetting('must look like us=postgres://…,uz=postgres://…');
    if (match[1] === 'control')
      throw new BadSetting('may not name a database "control": that is DATABASE_URL');
    databases.set(match[1], databaseUrl(match[2]));
  }
  return databases;
}

/** Values that stand in examples everywhere. Whoever copies one has no secret. */
const EXAMPLES =
  /change.?me|example|your.?secret|replace.?(me|this)|secret.?here|(.)\2{15}|0123456789|abcdefgh|12345678/i;

/** The deployment's secrets, the current one first: long enough, and no example. */
export function secretList(text: string): readonly string[] {
  const secrets = splitList(text);
  if (secrets.length === 0) throw new BadSetting('is empty');
  for (const secret of secrets) {
    if (Buffer.byteLength(secret) < 32) {
      throw new BadSetting('must be at least 32 bytes: make one with `openssl rand -base64 48`');
    }
    if (EXAMPLES.test(secret) || new Set(secret).size < 10) {
      throw new BadSetting('looks like an example, not a secret: make one with `openssl rand -base64 48`');
    }
  }
  return secrets;
}

/** Networks; never the whole internet, from which everybody could name any caller. */
export function cidrs(text: string): readonly string[] {
  const list = splitList(text);
  for (const cidr of list) {
    const [address = '', bits, ...rest] = cidr.split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    if (
      family === 0 ||
      rest.length > 0 ||
      bits === undefined ||
      !/^\d{1,3}$/.test(bits) ||
      Number(bits) > most
    ) {
      throw new BadSetting(`must be CIDRs such as 10.0.0.0/8; "${cidr}" is none`);
    }
    if (Number(bits) === 0) throw new BadSetting('may not trust the whole internet (/0)');
  }
  return list;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
