import type postgres from 'postgres';
import { QueueFull } from '../kernel/queue-full.ts';

/** The code of the fault when a statement was not answered at all. */
export const STATEMENT_UNANSWERED = 'STATEMENT_UNANSWERED';
const UNANSWERED_AFTER_MILLISECONDS = 12_000;

/** What follows one part of a statement: another part, a parameter, or the end of the text. */
interface Step {
  readonly parts: Map<TemplateStringsArray | string, Step>;
  parameter: Step | undefined;
  text: string | undefined;
}

const newStep = (): Step => ({ parts: new Map(), parameter: undefined, text: undefined });

/** A name of a table or column, quoted. */
class Identifier {
  readonly text: string;
  constructor(name: string) {
    this.text = `"${name.replaceAll('"', '""')}"`;
  }
}

type Execute = (fragment: SqlFragment) => Promise<unknown>;

/** SQL text with its values in their places; executed when it is awaited, spliced in when it is a value of another. */
class SqlFragment implements PromiseLike<unknown> {
  readonly strings: TemplateStringsArray;
  readonly values: readonly unknown[];
  readonly #execute: Execute;
  #running: Promise<unknown> | undefined;

  constructor(strings: TemplateStringsArray, values: readonly unknown[], execute: Execute) {
    this.strings = strings;
    this.values = values;
    this.#execute = execute;
  }

  #run(): Promise<unknown> {
    this.#running ??= this.#execute(this);
    return this.#running;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a statement is how it is executed
  then<A = unknown, B = never>(
    onDone?: ((value: unknown) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#run().then<A, B>(onDone, onFailed);
  }

  catch<B>(onFailed: (reason: unknown) => B | PromiseLike<B>): Promise<unknown> {
    return this.#run().catch(onFailed);
  }

  finally(onEnd: () => void): Promise<unknown> {
    return this.#run().finally(onEnd);
  }
}

/**
 * The driver's tag, with statements composed of many parts made cheap. A template literal's strings are one object
 * for the life of the program, so the parts of a statement, in order, name its text: it is put together once and then
 * found by following them. The driver itself would make a promise for each part and join the text anew each time,
 * which was a third of what a sign-in cost the server.
 * @param mostUnanswered statements outside of transactions under way and waiting for a connection, before further ones
 *   reject with QueueFull
 */
export function createSql(
  driver: postgres.Sql | postgres.TransactionSql,
  prepare: boolean,
  mostUnanswered = Infinity,
): postgres.Sql {
  const root = newStep();
  let unanswered = 0;

  const execute: Execute = async (fragment) => {
    if (unanswered >= mostUnanswered) throw new QueueFull('too many statements wait for the database');
    const parameters: unknown[] = [];
    const last = follow(root, fragment, parameters);
    last.text ??= textOf(fragment, { parameters: 0 });
    const query = driver.unsafe(
      last.text,
      parameters as postgres.ParameterOrJSON<never>[],
      {
        prepare,
        simple: false,
      } as { prepare: boolean },
    );
    unanswered += 1;
    try {
      return await answeredInTime(query);
    } finally {
      unanswered -= 1;
    }
  };

  const tag = (first: TemplateStringsArray | string, ...values: unknown[]): SqlFragment | Identifier =>
    typeof first === 'string' ? new Identifier(first) : new SqlFragment(first, values, execute);

  return Object.assign(tag, {
    json: driver.json,
    unsafe: driver.unsafe,
    ...('begin' in driver
      ? {
          options: driver.options,
          end: driver.end,
          begin: (work: (sql: postgres.Sql) => Promise<unknown>) =>
            driver.begin((transaction) => work(createSql(transaction, prepare))),
        }
      : {}),
  }) as unknown as postgres.Sql;
}

/**
 * A connection that swallows everything without a word never fails by itself: its statements would wait for ever. The
 * server ends a statement earlier (statement_timeout), so whatever is this late has no server behind it.
 */
function answeredInTime<T>(query: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const fault = new Error('the database did not answer in time');
      reject(Object.assign(fault, { code: STATEMENT_UNANSWERED }));
    }, UNANSWERED_AFTER_MILLISECONDS);
    query.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (fault: unknown) => {
        clearTimeout(timer);
        reject(fault);
      },
    );
  });
}

/** Walks a statement's parts in the order of its text; collects the parameters on the way. */
function follow(from: Step, fragment: SqlFragment, parameters: unknown[]): Step {
  let step = next(from, fragment.strings);
  for (const value of fragment.values) {
    if (value instanceof SqlFragment) {
      step = follow(step, value, parameters);
    } else if (value instanceof Identifier) {
      step = next(step, value.text);
    } else {
      parameters.push(value);
      step.parameter ??= newStep();
      step = step.parameter;
    }
  }
  return step;
}

function next(step: Step, part: TemplateStringsArray | string): Step {
  let following = step.parts.get(part);
  if (!following) {
    following = newStep();
    step.parts.set(part, following);
  }
  return following;
}

function textOf(fragment: SqlFragment, counted: { parameters: number }): string {
  let text = fragment.strings[0] ?? '';
  fragment.values.forEach((value, index) => {
    if (value instanceof SqlFragment) text += textOf(value, counted);
    else if (value instanceof Identifier) text += value.text;
    else text += `$${++counted.parameters}`;
    text += fragment.strings[index + 1] ?? '';
  });
  return text;
}
