import { bytesToUuid, uuidToBytes } from '../kernel/id.ts';
import { constantTimeEqual, type Secrets } from '../kernel/secrets.ts';

/** A proof may be spent on a new password for so long, once. */
export const RESET_LIFE_SECONDS = 600;

const PREFIX = 'fpp_';
const BODY_BYTES = 16 + 16;
const MAC_BYTES = 24;

/** The proof that a reset token names. */
export interface ResetTokenClaims {
  tenantId: string;
  verificationId: string;
}

/**
 * Derives the token that lets a proof set a new password and do nothing else: tenant and verification, and 192 bits
 * of keyed hash. Nothing of it is stored; whether it was spent stands with the verification.
 */
export function resetToken(secrets: Secrets, claims: ResetTokenClaims): string {
  const body = Buffer.concat([uuidToBytes(claims.tenantId), uuidToBytes(claims.verificationId)]);
  const mac = secrets.mac('reset-token', body).subarray(0, MAC_BYTES);
  return PREFIX + Buffer.concat([body, mac]).toString('base64url');
}

/** Reads and verifies a reset token without asking the database. Undefined when it is not one of ours. */
export function readResetToken(secrets: Secrets, token: string): ResetTokenClaims | undefined {
  if (!token.startsWith(PREFIX) || token.length > 100) return undefined;
  const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url');
  if (bytes.byteLength !== BODY_BYTES + MAC_BYTES) return undefined;
  const body = bytes.subarray(0, BODY_BYTES);
  const genuine = secrets
    .macs('reset-token', body)
    .some((mac) => constantTimeEqual(mac.subarray(0, MAC_BYTES), bytes.subarray(BODY_BYTES)));
  if (!genuine) return undefined;
  return {
    tenantId: bytesToUuid(body.subarray(0, 16)),
    verificationId: bytesToUuid(body.subarray(16, BODY_BYTES)),
  };
}
