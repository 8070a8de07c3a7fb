import { setTimeout as sleep } from 'node:timers/promises';
import { writeRequest } from './http-client.ts';
import type { ReadCode } from './products.ts';

interface InboxMessage {
  readonly id: string;
  readonly code: string | null;
  readonly created_at: string;
}

/** Longer than any delivery that still counts as working. */
const longestWait = 10_000;

/** The id that a message made at that moment has at least: a UUIDv7 begins with its milliseconds (RFC 9562, 5.7). */
function firstIdAt(milliseconds: number): string {
  const time = milliseconds.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

/**
 * Makes a reader of GET /dev/messages. It asks once, for the newest message since the send, and Firstproof answers when
 * that has arrived; the peer, which heeds neither `after` nor `wait`, has it there before the send is answered.
 * The answer may be a list or `{ messages: [...] }`, newest first. Throws after 10 s without a message.
 */
export function createCodeReader(): ReadCode {
  const lastRead = new Map<string, string>();
  return async (exchange, to, sentAfter) => {
    const since = sentAfter - 1;
    const query = `to=${encodeURIComponent(to)}&limit=1&after=${firstIdAt(since)}&wait=${longestWait / 1000}`;
    const request = writeRequest('GET', `/dev/messages?${query}`, []);
    const deadline = performance.now() + longestWait;
    for (let attempt = 1; performance.now() < deadline; attempt += 1) {
      const answer = await exchange(request);
      if (answer.status !== 200)
        throw new Error(`inbox answered ${answer.status}: ${answer.body.slice(0, 200)}`);
      const parsed = JSON.parse(answer.body) as InboxMessage[] | { messages: InboxMessage[] };
      const newest = (Array.isArray(parsed) ? parsed : parsed.messages)[0];
      // An older message of the same address, read by this program or an earlier one, carries a used code.
      const isNew = newest !== undefined && newest.id !== lastRead.get(to);
      if (isNew && newest.code && Date.parse(newest.created_at) >= since) {
        lastRead.set(to, newest.id);
        return newest.code;
      }
      await sleep(Math.min(2 ** attempt, 16));
    }
    throw new Error(`no message for ${to} within ${longestWait / 1000} s`);
  };
}
