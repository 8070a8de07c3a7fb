import assert from 'node:assert/strict';
import type fc from 'fast-check';
import type { Answer } from '../create-test-app.ts';
import { isLive, projection, type State } from './state.ts';
import { type Run, until } from './system.ts';

/** The model as fast-check carries it: `at` holds the state, replaced whole by each command. */
export interface Model {
  at: State;
}

/** What the agreement foretells of one request. */
export interface Foretold {
  method: string;
  path: string;
  body?: unknown;
  token?: string | undefined;
  tenant?: string;
  /** Statuses that the agreement allows. */
  statuses: readonly number[];
  /** Checks a good answer and takes from it what only the answer tells. */
  learn?: (answer: Answer) => Promise<void> | void;
}

/** Moves the state on as the request would; undefined where there is nothing to ask for. */
export type Foretell = (state: State, run: Run) => Foretold | undefined;

/**
 * One request to one server, in three steps: foretell what it must answer and leave behind, send it (perhaps while
 * every connection is being killed), and compare. After a lost answer the database must hold all of it or nothing.
 */
export class Request implements fc.AsyncCommand<Model, Run> {
  private readonly name: string;
  private readonly at: 0 | 1;
  private readonly fire: number | undefined;
  private readonly foretell: Foretell;

  constructor(name: string, at: 0 | 1, fire: number | undefined, foretell: Foretell) {
    this.name = name;
    this.at = at;
    this.fire = fire;
    this.foretell = foretell;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, run: Run): Promise<void> {
    const before = model.at;
    const after = structuredClone(before);
    const outcome = this.foretell(after, run);
    if (!outcome) return;
    const { method, path, body, token, tenant } = outcome;
    const send = (): Promise<Answer> =>
      run.send(this.at, method, path, body, {
        token,
        ...(tenant ? { headers: { 'x-tenant': tenant } } : {}),
      });
    const answer = this.fire === undefined ? await send() : await run.underFire(send, this.fire);
    if (this.fire !== undefined) await run.recover();
    if (this.fire !== undefined && answer.status === 503) {
      const seen = await run.observe();
      const all = projection(after);
      if (JSON.stringify(seen) === JSON.stringify(all)) model.at = after;
      else assert.deepEqual(seen, projection(before), 'a lost answer left something half done');
    } else {
      const told = `${this.name}: ${answer.status} ${JSON.stringify(answer.body)}`;
      assert.ok(outcome.statuses.includes(answer.status), `${told}, not ${outcome.statuses.join(' or ')}`);
      await outcome.learn?.(answer);
      model.at = after;
    }
    await agree(model, run);
  }

  toString(): string {
    return `${this.name} at ${this.at}${this.fire === undefined ? '' : ` under fire after ${this.fire} ms`}`;
  }
}

/** The database says what the model says, every invariant holds, and every token is worth what its session is worth. */
async function agree(model: Model, run: Run): Promise<void> {
  assert.deepEqual(await run.observe(), projection(model.at));
  assert.deepEqual(await run.broken(), []);
  const checks = model.at.sessions.flatMap((session) => {
    const { access } = session;
    const expected = isLive(model.at, session) && (access?.expiresAt ?? 0) > model.at.now ? 200 : 401;
    return access ? ([0, 1] as const).map((at) => isWorth(run, at, access.token, expected)) : [];
  });
  await Promise.all(checks);
}

/** The server that did not end a session hears of it a moment after the other. */
function isWorth(run: Run, at: 0 | 1, token: string, expected: number): Promise<void> {
  return until(async () => {
    const { status } = await run.send(at, 'GET', '/api/v1/auth/session', undefined, { token });
    return status === expected;
  });
}

/** Moves the time, or lets the worker clean up: nothing is asked, everything is compared. */
export class Happening implements fc.AsyncCommand<Model, Run> {
  private readonly name: string;
  private readonly happen: (state: State, run: Run) => Promise<void> | void;
  constructor(name: string, happen: (state: State, run: Run) => Promise<void> | void) {
    this.name = name;
    this.happen = happen;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, run: Run): Promise<void> {
    await this.happen(model.at, run);
    await agree(model, run);
  }
  toString(): string {
    return this.name;
  }
}
