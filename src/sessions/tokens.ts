import { bytesToUuid, uuidToBytes } from '../kernel/id.ts';
import { constantTimeEqual, type Secrets } from '../kernel/secrets.ts';

/** `refresh` tokens rotate with a session's counter; an `opaque` token is the session's one token. */
export type SessionTokenKind = 'refresh' | 'opaque';

const PREFIX: Record<SessionTokenKind, string> = { refresh: 'fpr_', opaque: 'fps_' };
const BODY_BYTES = 16 + 16 + 4;
const MAC_BYTES = 24;

/** What a session token names. */
export interface SessionTokenClaims {
  tenantId: string;
  sessionId: string;
  counter: number;
}

/**
 * Derives a session token: tenant, session and counter, and 192 bits of keyed hash over them. Nothing of it is
 * stored: a database dump holds no usable token, and whoever retries after a lost answer gets the same one.
 */
export function sessionToken(secrets: Secrets, kind: SessionTokenKind, claims: SessionTokenClaims): string {
  const body = Buffer.allocUnsafe(BODY_BYTES);
  body.set(uuidToBytes(claims.tenantId), 0);
  body.set(uuidToBytes(claims.sessionId), 16);
  body.writeUInt32BE(claims.counter, 32);
  const mac = secrets.mac('session-token', kind, body).subarray(0, MAC_BYTES);
  return PREFIX[kind] + Buffer.concat([body, mac]).toString('base64url');
}

/** Reads and verifies a session token without asking the database. Undefined when it is not one of ours. */
export function readSessionToken(
  secrets: Secrets,
  kind: SessionTokenKind,
  token: string,
): SessionTokenClaims | undefined {
  if (!isSessionToken(kind, token)) return undefined;
  const bytes = Buffer.from(token.slice(PREFIX[kind].length), 'base64url');
  if (bytes.byteLength !== BODY_BYTES + MAC_BYTES) return undefined;
  const body = bytes.subarray(0, BODY_BYTES);
  const mac = bytes.subarray(BODY_BYTES);
  const genuine = secrets
    .macs('session-token', kind, body)
    .some((candidate) => constantTimeEqual(candidate.subarray(0, MAC_BYTES), mac));
  if (!genuine) return undefined;
  return {
    tenantId: bytesToUuid(body.subarray(0, 16)),
    sessionId: bytesToUuid(body.subarray(16, 32)),
    counter: body.readUInt32BE(32),
  };
}

/** Does this look like a session token of that kind? */
export function isSessionToken(kind: SessionTokenKind, token: string): boolean {
  return token.length === 84 && token.startsWith(PREFIX[kind]);
}

const DEVICE_PREFIX = 'fpd_';
const DEVICE_MAC_BYTES = 16;

/**
 * Names a device to this server and to nobody else. It opens nothing: whoever shows it is taken for an earlier device
 * of the account when codes are guessed at, and has that account's reserve.
 */
export function deviceToken(secrets: Secrets, deviceId: string): string {
  const id = uuidToBytes(deviceId);
  const mac = secrets.mac('session-token', 'device', id).subarray(0, DEVICE_MAC_BYTES);
  return DEVICE_PREFIX + Buffer.concat([id, mac]).toString('base64url');
}

/** The device a token names; undefined when it is not one of ours. */
export function readDeviceToken(secrets: Secrets, token: string): string | undefined {
  if (token.length !== 47 || !token.startsWith(DEVICE_PREFIX)) return undefined;
  const bytes = Buffer.from(token.slice(DEVICE_PREFIX.length), 'base64url');
  const [id, mac] = [bytes.subarray(0, 16), bytes.subarray(16)];
  const genuine = secrets
    .macs('session-token', 'device', id)
    .some((candidate) => constantTimeEqual(candidate.subarray(0, DEVICE_MAC_BYTES), mac));
  return genuine ? bytesToUuid(id) : undefined;
}
