import { createHash } from 'node:crypto';

/** What of an event is nobody's personal data, and stays in the chain for good. */
export interface EventFacts {
  tenantId: string;
  position: bigint;
  id: string;
  action: string;
  actor: string;
  /** Microseconds since 1970, as text. */
  at: string;
}

/** What of an event may tell of a person: enters the chain as a salted hash only. */
export interface PersonalFacts {
  subject: string | null;
  ip: string | null;
  user_agent: string | null;
  /** As PostgreSQL writes jsonb. */
  data: string;
}

/** Where the chain of a tenant begins. */
export function firstHash(tenantId: string): Buffer {
  return sha256(['firstproof audit 1', tenantId]);
}

/** Commits to the personal part: with the salt it can be checked, without it nothing can be guessed from it. */
export function personalHashOf(salt: Uint8Array, facts: PersonalFacts): Buffer {
  return sha256([salt, facts.subject, facts.ip, facts.user_agent, facts.data]);
}

/** The hash of an event: over the one before it, its facts, and the commitment to what is personal. */
export function eventHashOf(previous: Uint8Array, facts: EventFacts, personalHash: Uint8Array): Buffer {
  const { tenantId, position, id, action, actor, at } = facts;
  return sha256([previous, tenantId, String(position), id, action, actor, at, personalHash]);
}

/** Each part is preceded by its length, and null is no text: no two lists of parts share a hash. */
function sha256(parts: readonly (string | Uint8Array | null)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = part === null ? undefined : typeof part === 'string' ? Buffer.from(part) : part;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes?.byteLength ?? 0xffff_ffff);
    hash.update(length);
    if (bytes) hash.update(bytes);
  }
  return hash.digest();
}
