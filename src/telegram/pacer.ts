/** How fast one bot may speak (R05; core.telegram.org/bots/faq: about 30 a second in all, one a second in a chat). */
export interface Pace {
  /** Calls begun in any window of `windowMilliseconds`. */
  callsPerWindow: number;
  windowMilliseconds: number;
  /** Between two messages to one private chat. */
  chatMilliseconds: number;
  /** Between two messages to one group: 20 a minute. */
  groupMilliseconds: number;
}

export const TELEGRAM_PACE: Pace = {
  callsPerWindow: 25,
  windowMilliseconds: 1000,
  chatMilliseconds: 1000,
  groupMilliseconds: 3000,
};

/** Time as the pacer sees it, so that tests can drive it. Milliseconds of a clock that never goes back. */
export interface Ticker {
  now(): number;
  after(milliseconds: number, work: () => void): { cancel(): void };
}

const systemTicker: Ticker = {
  now: () => performance.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** A place in the queue of one bot. */
export interface Turn {
  /** The chat a message goes to; undefined for calls that write nowhere. */
  chatId: string | undefined;
  signal?: AbortSignal | undefined;
  /** A pause longer than this is not waited for. */
  longestPauseSeconds?: number | undefined;
}

/** Lets calls of one bot begin no faster than Telegram takes them. Nothing waiting is ever dropped but by its own signal. */
export interface Pacer {
  /** Resolves when this call may begin. Rejects with the signal's reason, or with QueueFull. */
  turn(turn: Turn): Promise<void>;
  /** Telegram said 429: no call of the bot begins for so long. */
  pause(seconds: number): void;
  /** Seconds until calls may begin again; 0 when they may. */
  pausedFor(): number;
  waiting(): number;
}

/** So many calls wait already that one more would only come too late. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/** The bot was told to be quiet for longer than the call can wait. */
export class Paused extends Error {
  override readonly name = 'Paused';
}

const MOST_WAITING = 10_000;
/** Chats remembered before those long rested are forgotten. */
const MOST_CHATS = 5000;

interface Waiting {
  chatId: string | undefined;
  longestPauseSeconds: number;
  start(): void;
  giveUp(fault: Error): void;
}

export function createPacer(pace: Pace, ticker: Ticker = systemTicker): Pacer {
  const waiting = new Set<Waiting>();
  /** When the last calls began, oldest first; as many as the window holds. */
  const begun: number[] = [];
  const chatReadyAt = new Map<string, number>();
  let pausedUntil = 0;
  let timer: { cancel(): void } | undefined;

  function gapOf(chatId: string): number {
    return chatId.startsWith('-') ? pace.groupMilliseconds : pace.chatMilliseconds;
  }

  function note(chatId: string | undefined, now: number): void {
    begun.push(now);
    if (begun.length > pace.callsPerWindow) begun.shift();
    if (chatId === undefined) return;
    if (chatReadyAt.size >= MOST_CHATS) {
      for (const [chat, readyAt] of chatReadyAt) if (readyAt <= now) chatReadyAt.delete(chat);
    }
    chatReadyAt.set(chatId, now + gapOf(chatId));
  }

  /** Begins all that may begin now, in the order they came, and wakes up again when the next one may. */
  function pump(): void {
    timer?.cancel();
    timer = undefined;
    const now = ticker.now();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of waiting) {
      const bot = Math.max(pausedUntil, windowOpensAt());
      if (bot > now) {
        next = bot;
        break;
      }
      const chat = entry.chatId === undefined ? now : (chatReadyAt.get(entry.chatId) ?? now);
      if (chat > now) {
        next = Math.min(next, chat);
        continue;
      }
      waiting.delete(entry);
      note(entry.chatId, now);
      entry.start();
    }
    if (waiting.size > 0) timer = ticker.after(Math.max(1, Math.ceil(next - now)), pump);
  }

  function windowOpensAt(): number {
    const [oldest, newest] = [begun[0], begun.at(-1)];
    if (oldest === undefined || newest === undefined) return 0;
    // Not a whole window in one burst: of calls on their way, few run into a pause that they could not know of.
    const spread = newest + pace.windowMilliseconds / (2 * pace.callsPerWindow);
    return begun.length < pace.callsPerWindow ? spread : Math.max(spread, oldest + pace.windowMilliseconds);
  }

  return {
    turn({ chatId, signal, longestPauseSeconds = Number.POSITIVE_INFINITY }) {
      return new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        if (waiting.size >= MOST_WAITING) return reject(new QueueFull('too many calls wait for this bot'));
        if (pausedUntil - ticker.now() > longestPauseSeconds * 1000)
          return reject(new Paused('the bot is paused'));
        const onAbort = (): void => {
          waiting.delete(entry);
          reject(signal?.reason as Error);
        };
        const entry: Waiting = {
          chatId,
          longestPauseSeconds,
          giveUp(fault) {
            signal?.removeEventListener('abort', onAbort);
            waiting.delete(entry);
            reject(fault);
          },
          start() {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.add(entry);
        pump();
      });
    },
    pause(seconds) {
      pausedUntil = Math.max(pausedUntil, ticker.now() + seconds * 1000);
      for (const entry of waiting) {
        if (entry.longestPauseSeconds < seconds) entry.giveUp(new Paused('the bot is paused'));
      }
      pump();
    },
    pausedFor: () => Math.max(0, Math.ceil((pausedUntil - ticker.now()) / 1000)),
    waiting: () => waiting.size,
  };
}
