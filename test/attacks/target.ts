import { type Answer, createTestApp, type RequestOptions, type TestApp } from '../create-test-app.ts';

/** A started server under attack: HTTP on a real port, a real PostgreSQL, budgets as in production, a clock to turn. */
export interface Target extends TestApp {
  /** One request of a caller; by default each comes from an address never used before. */
  ask(path: string, body: object, options?: RequestOptions): Promise<Answer>;
  /** An IPv4 address that nobody has used yet. */
  newCaller(): string;
}

/** What a program reached, and what it may reach at most. */
export interface Figure {
  attack: string;
  figure: string;
  reached: number | string;
  /** The most that is allowed; left out where the figure is told and not judged. */
  most?: number;
  /** The least that is demanded. */
  least?: number;
}

export interface Attack {
  name: string;
  /** What the attacker has and does, in one sentence. */
  story: string;
  run(target: Target): Promise<Figure[]>;
}

/** Starts the server: development mode for its inbox, with the budgets of production. */
export async function startTarget(): Promise<Target> {
  const app = await createTestApp();
  let callers = 0;
  const newCaller = (): string => {
    callers++;
    return `10.${(callers >> 16) & 255}.${(callers >> 8) & 255}.${callers & 255}`;
  };
  return {
    ...app,
    newCaller,
    ask: (path, body, options = {}) => app.post(path, body, { from: newCaller(), ...options }),
  };
}

/** Does a figure stay within its bounds? */
export function holds({ reached, most, least }: Figure): boolean {
  if (typeof reached !== 'number') return most === undefined && least === undefined;
  return reached <= (most ?? Number.POSITIVE_INFINITY) && reached >= (least ?? Number.NEGATIVE_INFINITY);
}

/** Runs `work` for each item, so many at once, keeping the order of the results. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

/** The largest number of moments within any window of so many seconds. */
export function mostWithin(moments: readonly number[], seconds: number): number {
  const sorted = moments.toSorted((left, right) => left - right);
  let first = 0;
  let most = 0;
  for (const [index, moment] of sorted.entries()) {
    while ((sorted[first] as number) <= moment - seconds * 1000) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** How often each word occurs. */
export function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** The error of an answer, or `sent`. */
export const wordOf = ({ body }: Answer): string => (body?.error as string | undefined) ?? 'sent';
