import { bytesToUuid, uuidToBytes } from '../kernel/id.ts';
import { constantTimeEqual, type Secrets } from '../kernel/secrets.ts';
import type { TemplateName } from '../tenants/tenants.ts';

/** What an account's owner is told of. */
export type NoticeKind =
  | 'new_device'
  | 'password_changed'
  | 'identity_added'
  | 'identity_removed'
  | 'identity_replaced'
  | 'number_taken_over'
  | 'account_locked'
  | 'address_closed';

/** "This was not me" works for so long (S33). */
export const NOTICE_LIFE_SECONDS = 72 * 3600;

/** `account_locked`: for an hour or a day. `address_closed`: after a hundred wrong codes in a row, until it is opened. */
export type Lockout = Extract<NoticeKind, 'account_locked' | 'address_closed'>;

const TEMPLATES = {
  new_device: 'new_device',
  password_changed: 'password_changed',
  identity_added: 'address_changed',
  identity_removed: 'address_changed',
  identity_replaced: 'address_changed',
  number_taken_over: 'number_taken_over',
  account_locked: 'account_locked',
  address_closed: 'address_closed',
} as const satisfies Record<NoticeKind, TemplateName>;

/** The message of a notice. */
export function templateOf(kind: NoticeKind): TemplateName {
  return TEMPLATES[kind];
}

/** Can the owner undo it by the link? Nothing was done yet where somebody only guessed. */
export function hasLink(kind: NoticeKind): boolean {
  return !isLockout(kind) && kind !== 'number_taken_over';
}

/** Somebody guessed too often, and got nowhere. */
export function isLockout(kind: NoticeKind): kind is Lockout {
  return kind === 'account_locked' || kind === 'address_closed';
}

export interface Recipient {
  kind: 'phone' | 'email' | 'telegram';
  value: string;
  as_entered: string;
}

/**
 * Who is told: every other address than the one it was done by, and by SMS only where nothing free reaches the owner.
 * The used one as well where there is no other, or where telling costs nothing and a password is at stake. An address
 * that was taken away is always told: it is the only one that a thief cannot have (S33, S48). Not one that was never
 * proved: whoever reads it is perhaps a stranger, and would be handed the link that ends the owner's sessions.
 * @param used the address it was done by, such as `email:…`
 * @param gone the address that went
 */
export function recipientsOf<T extends Recipient>(
  kind: NoticeKind,
  identities: readonly T[],
  used: string | null,
  gone: (T & { is_verified?: boolean }) | undefined,
): T[] {
  const removed = gone?.is_verified === false ? undefined : gone;
  const isUsed = (identity: Recipient): boolean => `${identity.kind}:${identity.value}` === used;
  const others = identities.filter((identity) => !isUsed(identity));
  const free = others.filter((identity) => identity.kind !== 'phone');
  const told = removed ? [removed, ...free] : free.length > 0 ? free : others.slice(0, 1);
  const own = identities.filter((identity) => isUsed(identity) && identity.kind !== 'phone');
  if (kind === 'password_changed') return [...told, ...own];
  // Whoever only guessed does not read the address they guessed at: it is told before an SMS is paid for.
  if (isLockout(kind) && free.length === 0 && own.length > 0) return own;
  if (told.length > 0) return told;
  // A code has just gone to this phone: that was notice enough of a sign-in, and a second SMS costs money.
  return kind === 'new_device' ? own : identities.slice(0, 1);
}

const MAC_BYTES = 16;
const TAG_BYTES = 4;
const TOKEN_BYTES = TAG_BYTES + 16 + MAC_BYTES;

/** The secret of a notice's link: a tag of the tenant, the notice's id, and 128 bits of keyed hash over both. */
export function linkToken(secrets: Secrets, tenantId: string, noticeId: string): string {
  const mac = secrets.mac('notice-link', tenantId, noticeId).subarray(0, MAC_BYTES);
  return Buffer.concat([tagOf(tenantId), uuidToBytes(noticeId), mac]).toString('base64url');
}

/** The notice a token names, and whose it is; undefined when it is not one of ours. */
export function readLinkToken<T extends { id: string }>(
  secrets: Secrets,
  token: string,
  tenants: readonly T[],
): { tenant: T; noticeId: string } | undefined {
  if (!/^[A-Za-z0-9_-]{48}$/.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.byteLength !== TOKEN_BYTES) return undefined;
  const noticeId = bytesToUuid(bytes.subarray(TAG_BYTES, TAG_BYTES + 16));
  const mac = bytes.subarray(TAG_BYTES + 16);
  const tenant = tenants.find(
    ({ id }) =>
      bytes.subarray(0, TAG_BYTES).equals(tagOf(id)) &&
      secrets
        .macs('notice-link', id, noticeId)
        .some((candidate) => constantTimeEqual(candidate.subarray(0, MAC_BYTES), mac)),
  );
  return tenant && { tenant, noticeId };
}

/** The last bytes of a tenant's id, which are random. */
function tagOf(tenantId: string): Uint8Array {
  return uuidToBytes(tenantId).subarray(16 - TAG_BYTES);
}
