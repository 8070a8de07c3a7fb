import { createHmac } from 'node:crypto';
import { constantTimeEqual } from '../../kernel/secrets.ts';
import type { DeliveryReport } from '../provider.ts';

/** A report as it came in, unread. */
export interface CallbackRequest {
  /** What stands after the `?`, as it was sent; empty where nothing does. */
  query: string;
  /** By lower-case name. */
  header: (name: string) => string | undefined;
  /** The body, byte for byte. */
  body: Buffer;
}

/**
 * What a callback is worth. `forged`: not from whom it says. `stale`: signed too long ago, so perhaps replayed.
 * `unreadable`: from the right sender, and not what its description says.
 */
export type CallbackOutcome =
  | { ok: true; reports: DeliveryReport[] }
  | { ok: false; why: 'forged' | 'stale' | 'unreadable' };

/** Reads one provider's callbacks: proves the sender first, and reads nothing before. */
export type ReadCallback = (request: CallbackRequest) => CallbackOutcome;

/** A signed report may be so old (ours: S42). */
const OLDEST_SECONDS = 300;

/** Seconds since 1970 in a header against now: undefined when they are no such number. */
export function freshness(timestamp: string | undefined, now: Date): 'fresh' | 'stale' | undefined {
  if (timestamp === undefined || !/^\d{9,11}$/.test(timestamp)) return undefined;
  return Math.abs(now.getTime() / 1000 - Number(timestamp)) <= OLDEST_SECONDS ? 'fresh' : 'stale';
}

/**
 * Compares two texts in constant time, whatever their lengths: both are hashed under a key of this comparison first.
 */
export function sameText(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false;
  const hash = (text: string): Buffer => createHmac('sha256', 'callback').update(text).digest();
  return constantTimeEqual(hash(given), hash(expected));
}

/** A form or a query as fields; undefined where a name stands twice: two readers could take different ones. */
export function fieldsOf(text: string): Record<string, string> | undefined {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(fields, name)) return undefined;
    fields[name] = value;
  }
  return fields;
}
