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

/**
 * Makes a reader of GET /dev/messages that learns how long a delivery takes: a message that a worker sends
 * some milliseconds later is asked for when it is probably there, so that polling is not what is measured.
 * The answer may be a list or `{ messages: [...] }`, newest first. Throws after 10 s without a message.
 */
export function createCodeReader(): ReadCode {
  let usualDelay = 0;
  const lastRead = new Map<string, string>();
  return async (exchange, to, sentAfter) => {
    const request = writeRequest('GET', `/dev/messages?to=${encodeURIComponent(to)}`, []);
    const deadline = performance.now() + longestWait;
    if (usualDelay >= 1) await sleep(usualDelay);
    for (let attempt = 1; performance.now() < deadline; attempt += 1) {
      const answer = await exchange(request);
      if (answer.status !== 200)
        throw new Error(`inbox answered ${answer.status}: ${answer.body.slice(0, 200)}`);
      const parsed = JSON.parse(answer.body) as InboxMessage[] | { messages: InboxMessage[] };
      const newest = (Array.isArray(parsed) ? parsed : parsed.messages)[0];
      // An older message of the same address, read by this program or an earlier one, carries a used code.
      const isNew = newest !== undefined && newest.id !== lastRead.get(to);
      if (isNew && newest.code && Date.parse(newest.created_at) >= sentAfter - 1) {
        lastRead.set(to, newest.id);
        usualDelay = attempt === 1 ? usualDelay * 0.95 : Math.min(usualDelay + 0.25, 50);
        return newest.code;
      }
      await sleep(Math.min(2 ** attempt, 16));
    }
    throw new Error(`no message for ${to} within ${longestWait / 1000} s`);
  };
}
