import { createHash, createHmac, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { constantTimeEqual } from '../kernel/secrets.ts';
import { botIdOf } from './token.ts';

/** Who Telegram says it is. */
export interface TelegramPerson {
  /** Numeric user id, as text. */
  id: string;
  firstName: string | null;
  lastName: string | null;
  username: string | null;
}

/** Signed login data that was found genuine and fresh. `hash` names it: it may be used once. */
export type SignedData =
  | { ok: true; person: TelegramPerson; authDate: Date; name: string }
  | { ok: false; reason: 'malformed' | 'forged' | 'stale' };

/** Seconds such data may be old; Telegram names no limit, this is ours (S41). */
export const SIGNED_DATA_LIFE_SECONDS = 300;
/** Clocks differ by so much at most: data from later than that is no data of now. */
const CLOCK_LEEWAY_SECONDS = 30;
const LONGEST = 8192;

/** Telegram's key for data that is checked by third parties (core.telegram.org/bots/webapps). */
const TELEGRAM_PUBLIC_KEY = 'e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d';

/** Whose bot may have launched the Mini App: the tenant's own, checked by its token; others', by Telegram's signature. */
export interface MiniAppTrust {
  botToken: string | undefined;
  botIds: readonly string[];
  /** 32 bytes in hexadecimal; another one only in tests. */
  publicKey?: string;
}

/**
 * Checks the `initData` of a Mini App by Telegram's procedure: HMAC-SHA256 under HMAC-SHA256("WebAppData", token) over
 * every field but `hash`; for the bot of a third party Ed25519 over its id and every field but `hash` and `signature`.
 * @param text the raw query string, as `Telegram.WebApp.initData` gives it
 */
export function verifyInitData(text: string, trust: MiniAppTrust, now: Date): SignedData {
  const fields = readFields(text);
  const user = fields && readUser(fields.get('user'));
  if (!fields || !user) return { ok: false, reason: 'malformed' };
  const genuine = byToken(fields, trust.botToken, miniAppKey) || bySignature(fields, trust);
  return judge(fields, user, genuine, now);
}

/**
 * Checks the data of the older login widget: HMAC-SHA256 under SHA-256(token). The key differs from the Mini App's, so
 * that data of one never passes for the other's.
 * @param given the fields as the widget hands them over
 */
export function verifyWidgetData(
  given: Readonly<Record<string, string | number>>,
  botToken: string | undefined,
  now: Date,
): SignedData {
  const fields = new Map(Object.entries(given).map(([name, value]) => [name, String(value)]));
  const person = readPerson(given);
  if (!person || !fields.has('hash')) return { ok: false, reason: 'malformed' };
  return judge(fields, person, byToken(fields, botToken, widgetKey), now);
}

function judge(
  fields: ReadonlyMap<string, string>,
  person: TelegramPerson,
  genuine: boolean,
  now: Date,
): SignedData {
  if (!genuine) return { ok: false, reason: 'forged' };
  const authDate = fields.get('auth_date') ?? '';
  if (!/^\d{1,12}$/.test(authDate)) return { ok: false, reason: 'malformed' };
  const age = now.getTime() / 1000 - Number(authDate);
  if (age > SIGNED_DATA_LIFE_SECONDS || age < -CLOCK_LEEWAY_SECONDS) return { ok: false, reason: 'stale' };
  // Named by its content in order, not by a field: what is only written otherwise is still the same data.
  const name = checkString(fields, ['hash', 'signature']);
  return { ok: true, person, authDate: new Date(Number(authDate) * 1000), name };
}

/** The fields of a query string; undefined when one is given twice, which two readers could read differently. */
function readFields(text: string): Map<string, string> | undefined {
  if (text.length === 0 || text.length > LONGEST) return undefined;
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name) || name.includes('\n')) return undefined;
    fields.set(name, value);
  }
  return fields.has('hash') ? fields : undefined;
}

function checkString(fields: ReadonlyMap<string, string>, without: readonly string[]): string {
  return [...fields]
    .filter(([name]) => !without.includes(name))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

const miniAppKey = (token: string): Buffer => createHmac('sha256', 'WebAppData').update(token).digest();
const widgetKey = (token: string): Buffer => createHash('sha256').update(token).digest();

function byToken(
  fields: ReadonlyMap<string, string>,
  token: string | undefined,
  keyOf: (token: string) => Buffer,
): boolean {
  const hash = fields.get('hash') ?? '';
  if (token === undefined || !/^[0-9a-f]{64}$/i.test(hash)) return false;
  const expected = createHmac('sha256', keyOf(token))
    .update(checkString(fields, ['hash']))
    .digest();
  return constantTimeEqual(expected, Buffer.from(hash, 'hex'));
}

function bySignature(fields: ReadonlyMap<string, string>, trust: MiniAppTrust): boolean {
  const signature = Buffer.from(fields.get('signature') ?? '', 'base64url');
  if (signature.byteLength !== 64) return false;
  const key = ed25519Key(trust.publicKey ?? TELEGRAM_PUBLIC_KEY);
  const checked = checkString(fields, ['hash', 'signature']);
  const own = trust.botToken === undefined ? undefined : botIdOf(trust.botToken);
  // The own bot is checked by its token alone: whoever could sign as Telegram should not also speak for it.
  return trust.botIds.some(
    (botId) => botId !== own && verify(null, Buffer.from(`${botId}:WebAppData\n${checked}`), key, signature),
  );
}

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

function ed25519Key(hex: string): KeyObject {
  const der = Buffer.concat([SPKI_ED25519, Buffer.from(hex, 'hex')]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function readUser(text: string | undefined): TelegramPerson | undefined {
  try {
    const user: unknown = JSON.parse(text ?? '');
    return typeof user === 'object' && user !== null
      ? readPerson(user as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Who is named in data whose origin is proved; undefined when it is nobody, or a bot. */
export function readPerson(user: Readonly<Record<string, unknown>>): TelegramPerson | undefined {
  const id = String(user['id']);
  if (!/^[1-9]\d{0,15}$/.test(id) || user['is_bot'] === true) return undefined;
  return {
    id,
    firstName: readName(user['first_name']),
    lastName: readName(user['last_name']),
    username: readUsername(user['username']),
  };
}

// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name as an account keeps it: what cannot be shown is left out, and 100 characters are enough. */
function readName(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const name = value.replace(UNSHOWABLE, '').trim().slice(0, 100).toWellFormed();
  return name === '' ? null : name;
}

/** A Telegram username (letters, digits, underscores), or null. */
function readUsername(value: unknown): string | null {
  return typeof value === 'string' && /^[A-Za-z0-9_]{2,64}$/.test(value) ? value : null;
}
