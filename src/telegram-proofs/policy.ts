import { bytesToUuid, isUuid, uuidToBytes } from '../kernel/id.ts';
import type { Secrets } from '../kernel/secrets.ts';

/** A link lives so long; S11 allows ten minutes. */
export const LINK_LIFE_SECONDS = 300;
/** Once confirmed, the browser has at least so long to come and fetch its session. */
export const LINK_CONFIRMED_LIFE_SECONDS = 60;
/** So many wrong numbers burn a link. */
export const MOST_MISMATCHES = 3;
/** Somebody may not try links without end; people who mistype do not notice. */
export const LINKS_OPENED_PER_HOUR = 20;

/** What a link's payload begins with, so that the bot knows whose it is. */
export const LINK_PAYLOAD_PREFIX = 'l_';

const LINK_ID = /^fpl_[A-Za-z0-9_-]{64}$/;
const PAYLOAD = /^l_[A-Za-z0-9_-]{32}$/;

const LINK_ID_PREFIX = 'fpl_';

/** What a handle names: tenant, row, and 128 random bits that make it a secret. */
export interface ProofHandle {
  tenantId: string;
  id: string;
  random: Buffer;
}

export function writeHandle({ tenantId, id, random }: ProofHandle): string {
  return (
    LINK_ID_PREFIX + Buffer.concat([uuidToBytes(tenantId), uuidToBytes(id), random]).toString('base64url')
  );
}

/** Reads a handle; undefined when it cannot be one. */
export function readHandle(text: string): ProofHandle | undefined {
  if (!LINK_ID.test(text)) return undefined;
  const bytes = Buffer.from(text.slice(LINK_ID_PREFIX.length), 'base64url');
  const [tenantId, id] = [bytesToUuid(bytes.subarray(0, 16)), bytesToUuid(bytes.subarray(16, 32))];
  return isUuid(tenantId) && isUuid(id) ? { tenantId, id, random: bytes.subarray(32) } : undefined;
}

/** Hashes by which a handle is found, one for each secret of the deployment. */
export function handleHashes(secrets: Secrets, handle: ProofHandle): Buffer[] {
  return secrets.macs('handle', 'telegram-link', handle.tenantId, handle.id, handle.random);
}

/** Is this the payload of a link, whole? A bare Start, a longer text or another's payload is none. */
export function isLinkPayload(payload: string): boolean {
  return PAYLOAD.test(payload);
}

export function payloadHashes(secrets: Secrets, tenantId: string, payload: string): Buffer[] {
  return secrets.macs('handle', 'telegram-payload', tenantId, payload);
}

/** The two digits that the browser shows. Derived, so that nothing of them is stored. */
export function matchNumber(secrets: Secrets, tenantId: string, id: string): number {
  return twoDigits(secrets.mac('handle', 'telegram-match', tenantId, id));
}

/** So many numbers to choose from: whoever cannot see the browser is stopped two times out of three. */
export const MATCH_CHOICES = 9;

/**
 * The numbers to choose from in Telegram: the right one among nine, by size, which tells nothing. The same after a wrong
 * choice: of others, the right one would be the only one that comes again.
 */
export function matchChoices(secrets: Secrets, tenantId: string, id: string): number[] {
  const choices = new Set([matchNumber(secrets, tenantId, id)]);
  for (let draw = 0; choices.size < MATCH_CHOICES; draw++) {
    choices.add(twoDigits(secrets.mac('handle', 'telegram-choices', tenantId, id, String(draw))));
  }
  return [...choices].sort((left, right) => left - right);
}

function twoDigits(bytes: Buffer): number {
  return 10 + (bytes.readUInt32BE() % 90);
}
