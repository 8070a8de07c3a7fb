import { createBatcher } from '../kernel/batcher.ts';

export interface HearingOptions {
  /** This server's name on the feed; no other has it. */
  node: string;
  /** How long a server goes on trusting what it hears without a proof that it still hears. */
  leaseMilliseconds: number;
  /** A clock that only runs forward, in milliseconds. */
  now: () => number;
  /** Says something to every server, this one included. */
  tell: (payload: string) => Promise<unknown>;
}

/** Which servers listen to a feed, and whether all of them have heard what was told. */
export interface Hearing {
  /** Takes the feed's own topics: here, hello, left, ask, heard. */
  receive(topic: string, text: string): void;
  /**
   * Resolves when every server has heard what was committed before the call, or can no longer believe that it has:
   * a server that does not answer within the lease has stopped trusting its memory and asks the database.
   */
  all(): Promise<void>;
}

interface Question {
  number: number;
  /** Servers yet to answer; undefined until the question itself has come back. */
  missing: Set<string> | undefined;
  answered: () => void;
}

/**
 * A question to all after something was told. PostgreSQL delivers notices in the order of their commits, the same to
 * everyone: whoever hears the question has heard all that was told before it, and when it comes back to the one who
 * asked, so has the hello of every server that must answer it.
 */
export function createHearing({ node, leaseMilliseconds, now, tell }: HearingOptions): Hearing {
  const heardAt = new Map<string, number>();
  let asked = 0;
  let open: Question | undefined;

  function ask(): Promise<void> {
    return new Promise((resolve) => {
      const number = ++asked;
      const timer = setTimeout(answered, leaseMilliseconds);
      function answered(): void {
        clearTimeout(timer);
        if (open?.number === number) open = undefined;
        resolve();
      }
      open = { number, missing: undefined, answered };
      // Not told: then nobody answers, and the lease decides.
      tell(`ask:${node} ${number}`).catch(() => {});
    });
  }

  function others(): Set<string> {
    for (const [other, at] of heardAt) if (now() - at > leaseMilliseconds) heardAt.delete(other);
    return new Set(heardAt.keys());
  }

  function answeredBy(other: string): void {
    open?.missing?.delete(other);
    if (open?.missing?.size === 0) open.answered();
  }

  // Whoever comes while a question is open shares the next one.
  const questions = createBatcher<void, void>({
    maxBatch: 10_000,
    flush: async (waiting) => {
      await ask();
      return waiting;
    },
  });

  return {
    receive(topic, text) {
      const [name = '', number = '', answering = ''] = text.split(' ');
      switch (topic) {
        case 'here':
          if (name !== node) heardAt.set(name, now());
          break;
        case 'hello':
          // It reads from the database what was committed before its hello.
          if (name !== node) heardAt.set(name, now());
          answeredBy(name);
          break;
        case 'left':
          heardAt.delete(name);
          answeredBy(name);
          break;
        case 'ask':
          if (name !== node) {
            tell(`heard:${name} ${number} ${node}`).catch(() => {});
          } else if (open?.number === Number(number)) {
            open.missing = others();
            if (open.missing.size === 0) open.answered();
          }
          break;
        case 'heard':
          if (name === node && open?.number === Number(number)) answeredBy(answering);
          break;
        default:
      }
    },
    all: () => questions.add(),
  };
}
