import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Data made with other libraries; see the note inside. */
export interface Vectors {
  token: string;
  other_token: string;
  signed_at: string;
  init_data: {
    id: string;
    first_name: string;
    last_name: string | null;
    username: string | null;
    data: string;
  }[];
  widget: { id: number; auth_date: number; hash: string; first_name: string; username: string };
}

export const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vectors;

const checkString = (fields: Record<string, string>): string =>
  Object.keys(fields)
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('\n');

/** Mini App data as Telegram would sign it for the bot of this token. */
export function signInitData(token: string, fields: Record<string, string>): string {
  const key = createHmac('sha256', 'WebAppData').update(token).digest();
  const hash = createHmac('sha256', key).update(checkString(fields)).digest('hex');
  return new URLSearchParams({ ...fields, hash }).toString();
}

/** Data of the older widget. */
export function signWidget(
  token: string,
  fields: Record<string, string | number>,
): Record<string, string | number> {
  const key = createHash('sha256').update(token).digest();
  const text = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  return { ...fields, hash: createHmac('sha256', key).update(checkString(text)).digest('hex') };
}

/** A stand-in for Telegram's own key. */
export function createSigner(): {
  publicKey: string;
  sign(botId: string, fields: Record<string, string>): string;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = (key: KeyObject): string =>
    key.export({ format: 'der', type: 'spki' }).subarray(12).toString('hex');
  return {
    publicKey: raw(publicKey),
    sign(botId, fields) {
      const signature = sign(null, Buffer.from(`${botId}:WebAppData\n${checkString(fields)}`), privateKey);
      const hash = '0'.repeat(64);
      return new URLSearchParams({ ...fields, signature: signature.toString('base64url'), hash }).toString();
    },
  };
}

let lastPerson = 910_000_000;

/** Fields of somebody new. */
export function freshFields(now: Date, more: Record<string, string> = {}): Record<string, string> {
  const user = { id: ++lastPerson, first_name: 'Mia', username: `mia_${lastPerson}` };
  return { auth_date: String(Math.floor(now.getTime() / 1000)), user: JSON.stringify(user), ...more };
}
