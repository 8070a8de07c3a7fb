import { setTimeout as wait } from 'node:timers/promises';
import type { History, Life, Outcome } from './history.ts';

const AUTH = '/api/v1/auth';
let callers = 0;
let people = 0;

/** An answer, or the lack of one. */
export interface Reply {
  outcome: Outcome;
  status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are checked field by field
  body: any;
}

/** Asks once, each time as another caller. A refused or lost connection, and a 503, are `unknown`. */
export async function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Reply> {
  const number = ++callers;
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        'x-forwarded-for': `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const answer: unknown = JSON.parse(await response.text());
    const outcome = response.ok ? 'ok' : response.status >= 500 ? 'unknown' : 'fail';
    return { outcome, status: response.status, body: answer };
  } catch {
    return { outcome: 'unknown', status: 0, body: undefined };
  }
}

/** Waits until every connection to every database works again: a lost one is found out by the query that meets it. */
export async function untilServing(url: string): Promise<void> {
  const strangers = [
    { email: 'nobody@firstproof.dev' },
    { phone: '+12125550123' },
    { phone: '+998901234567' },
  ];
  for (let tries = 0; tries < 400; tries++) {
    const asked = Array.from({ length: 16 }, () => strangers).flat();
    const replies = await Promise.all(
      asked.map((address) => ask(url, 'POST', `${AUTH}/verify-code`, { ...address, code: '000000' })),
    );
    if (replies.every((reply) => reply.status === 404)) return;
    await wait(50);
  }
  throw new Error('the server never came back');
}

/** The people of one round: they come one after the other until told to stop, then the one under way is lost. */
export function startLoad(url: string, history: History, concurrency: number): { stop(): Promise<Life[]> } {
  const lives: Life[] = [];
  let stopped = false;

  /** Notes how it went; what failed although nothing forbids it is wrong. */
  function note(life: Life, what: string, reply: Reply): Outcome {
    if (reply.outcome === 'ok') history.acknowledged += 1;
    if (reply.outcome === 'unknown') history.unknown += 1;
    if (reply.outcome === 'fail' || reply.status === 500) {
      history.wrong.push(`${what} of ${life.to}: ${reply.status} ${JSON.stringify(reply.body)}`);
    }
    return reply.outcome;
  }

  async function live(life: Life): Promise<void> {
    const sent = await ask(url, 'POST', `${AUTH}/send-verification`, life.address);
    if (note(life, 'send', sent) !== 'ok') {
      await wait(20);
      return;
    }
    life.verificationId = sent.body.verification_id as string;
    life.code = await readCode(life);
    if (life.code === undefined) return;
    const body = { verification_id: life.verificationId, code: life.code };
    const proof = await ask(url, 'POST', `${AUTH}/verify-code`, body);
    life.verify = note(life, 'verify', proof);
    if (proof.outcome !== 'ok') return;
    life.user = { id: proof.body.user.id, sessionId: proof.body.session.id };
    life.access = proof.body.access_token as string;
    life.refresh = [proof.body.refresh_token as string];
    for (let left = people % 4; left > 0 && !stopped; left--) if (!(await refresh(life))) return;
    if (people % 3 !== 0) return;
    const ended = await ask(url, 'POST', `${AUTH}/logout`, undefined, life.access);
    life.signOut = note(life, 'sign-out', ended);
  }

  async function refresh(life: Life): Promise<boolean> {
    const reply = await ask(url, 'POST', `${AUTH}/refresh`, { refresh_token: life.refresh.at(-1) });
    const outcome = note(life, 'refresh', reply);
    if (outcome === 'unknown') life.refreshUnknown = true;
    if (outcome !== 'ok') return false;
    life.refresh.push(reply.body.refresh_token as string);
    life.access = reply.body.access_token as string;
    return true;
  }

  /** The code from the inbox. Undefined when the server went away first. */
  async function readCode(life: Life): Promise<string | undefined> {
    for (let attempt = 0; attempt < 100 && !stopped; attempt++) {
      const inbox = await ask(url, 'GET', `/dev/messages?to=${encodeURIComponent(life.to)}&limit=1`);
      if (inbox.outcome === 'unknown') return undefined;
      const code = inbox.body[0]?.code as string | undefined;
      if (code !== undefined) return code;
      await wait(5);
    }
    return undefined;
  }

  async function person(): Promise<void> {
    while (!stopped) {
      const life = newLife();
      lives.push(life);
      await live(life);
    }
  }

  const persons = Promise.all(Array.from({ length: concurrency }, person));
  return {
    async stop() {
      if (!stopped) history.lives.push(...lives);
      stopped = true;
      await persons;
      return lives;
    },
  };
}

/** Somebody new, by turns in each database. */
function newLife(): Life {
  const number = ++people;
  const digits = String(1_000_000 + number);
  if (number % 4 === 1) {
    const phone = `+1212${2_000_000 + number}`;
    return { address: { phone }, to: phone, market: 'us', refresh: [] };
  }
  if (number % 4 === 2) {
    const phone = `+99890${digits}`;
    return { address: { phone }, to: phone, market: 'uz', refresh: [] };
  }
  const email = `crash${number}@firstproof.dev`;
  return { address: { email }, to: email, market: 'control', refresh: [] };
}
