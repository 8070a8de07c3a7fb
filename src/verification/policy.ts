import { plainDigits } from '../kernel/digits.ts';
import { bytesToUuid, uuidToBytes } from '../kernel/id.ts';
import type { Secrets } from '../kernel/secrets.ts';

/** What a verification is for. A code made for one purpose never serves another. */
export const purposes = ['sign_in', 'register', 'recover', 'link', 'step_up'] as const;
export type Purpose = (typeof purposes)[number];

const CODE_TEMPLATES = {
  sign_in: 'sign_in_code',
  register: 'verify_sign_up',
  recover: 'forgot_password',
  link: 'link_code',
  step_up: 'step_up_code',
} as const satisfies Record<Purpose, string>;

/** The message that carries a code of this purpose. */
export function codeTemplateOf(purpose: Purpose): (typeof CODE_TEMPLATES)[Purpose] {
  return CODE_TEMPLATES[purpose];
}

/** Codes of one address compared when no handle is given (DESIGN part 5). */
export const MOST_CODES_COMPARED = 3;
/** A handle still leads to a fresh code for so long after its own has expired. */
export const HANDLE_LIFE_SECONDS = 86_400;

const TENANT_TAG_BYTES = 4;
const HANDLE_BYTES = 1 + TENANT_TAG_BYTES + 16 + 16;
const HANDLE_LENGTH = Math.ceil((HANDLE_BYTES * 4) / 3);

/**
 * The secret name of a verification, known to whoever started it: purpose, a tag of the tenant, id and 128 random
 * bits. The tag only saves asking the databases of other tenants; what binds the handle to its tenant is its hash.
 */
export interface Handle {
  purpose: Purpose;
  id: string;
  bytes: Buffer;
}

/** Writes a handle as the text of `verification_id`. */
export function makeHandle(
  tenantId: string,
  purpose: Purpose,
  id: string,
  random: Uint8Array,
): { handle: Handle; text: string } {
  const bytes = Buffer.concat([
    Buffer.from([purposes.indexOf(purpose)]),
    tenantTag(tenantId),
    uuidToBytes(id),
    random,
  ]);
  return { handle: { purpose, id, bytes }, text: bytes.toString('base64url') };
}

/** Reads a `verification_id`; undefined when it cannot be one. */
export function readHandle(text: string): Handle | undefined {
  if (text.length !== HANDLE_LENGTH || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const purpose = purposes[bytes[0] ?? 255];
  if (bytes.byteLength !== HANDLE_BYTES || purpose === undefined) return undefined;
  const id = bytesToUuid(bytes.subarray(1 + TENANT_TAG_BYTES, 1 + TENANT_TAG_BYTES + 16));
  return { purpose, id, bytes };
}

/** The last bytes of a tenant's id, which are random. */
function tenantTag(tenantId: string): Uint8Array {
  return uuidToBytes(tenantId).subarray(16 - TENANT_TAG_BYTES);
}

/** May this handle be one of that tenant's? */
export function mayBelongTo(handle: Handle, tenantId: string): boolean {
  return tenantTag(tenantId).every((byte, index) => handle.bytes[1 + index] === byte);
}

export function handleHash(secrets: Secrets, tenantId: string, handle: Handle): Buffer {
  return secrets.mac('handle', tenantId, handle.bytes);
}

/**
 * Keyed hash of a code, bound to tenant, purpose and verification: a code for one can never match another. Both sides
 * of a comparison are such hashes, so the time a comparison takes tells nothing about the code.
 */
export function codeHashes(
  secrets: Secrets,
  of: { tenantId: string; purpose: Purpose; id: string },
  code: string,
): Buffer[] {
  return secrets.macs('code', of.tenantId, of.purpose, of.id, code);
}

/** Under which name a code is sealed, so that it can be sent again. */
export function sealContext(tenantId: string, id: string): string {
  return `code:${tenantId}:${id}`;
}

const CODE = /^\d{4,10}$/;

/**
 * Codes as people type and paste them: in the digits of their keyboard; spaces, dashes and invisible characters are
 * nothing. Undefined when it is no code.
 */
export function readCode(text: string): string | undefined {
  if (CODE.test(text)) return text;
  const digits = plainDigits(text).replace(/[\s-]/g, '');
  return CODE.test(digits) ? digits : undefined;
}
