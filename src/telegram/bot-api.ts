import type { Api, RawApi } from 'grammy';
import { createPacer, type Pace, Paused, QueueFull, TELEGRAM_PACE } from './pacer.ts';
import { redactBotToken } from './token.ts';

type BotMethod = keyof RawApi;
/** What a method takes, and what it gives. */
type BotParameters<M extends BotMethod> = Parameters<RawApi[M]>[0] extends infer P
  ? P extends Record<string, unknown> | object
    ? P extends AbortSignal
      ? Record<string, never>
      : P
    : Record<string, never>
  : never;
type BotResult<M extends BotMethod> = Awaited<ReturnType<RawApi[M]>>;

/** What Telegram said. `status` is its error code; 0: it was not reached, or did not answer in time. */
export type ApiAnswer<T> =
  | { ok: true; result: T }
  | { ok: false; status: number; description: string; retryAfterSeconds?: number };

interface CallOptions {
  signal?: AbortSignal;
  /** Tries again until Telegram has taken it: after a pause, and while Telegram is away, for ten minutes at most. */
  patient?: boolean;
  /** Answers 429 at once when the bot is paused for longer. */
  longestPauseSeconds?: number;
}

/** One bot, as seen by whoever speaks through it. Every call of a process for one token goes through one of these. */
export interface BotApi {
  call<M extends BotMethod>(
    method: M,
    parameters: BotParameters<M>,
    options?: CallOptions,
  ): Promise<ApiAnswer<BotResult<M>>>;
  /** Seconds until Telegram takes calls again; 0 unless it asked us to wait. */
  pausedFor(): number;
}

export interface BotApiOptions {
  token: string;
  /** Where the Bot API is: https://api.telegram.org, or a server of one's own. */
  apiRoot: string;
  pace?: Pace;
  /** How long one call may take; long polling brings its own. */
  timeoutMilliseconds?: number;
}

const TIMEOUT_MILLISECONDS = 15_000;
const PATIENCE_MILLISECONDS = 600_000;
const TAKES_NOTHING: ReadonlySet<string> = new Set(['getMe', 'getWebhookInfo', 'logOut', 'close']);
/** Methods that write into a chat, and so wait for its turn. */
const WRITES_TO_CHAT = /^(send|edit|copy|forward)/;

/**
 * The Bot API over grammY, at a pace Telegram bears (R05). A 429 pauses the whole bot for as long as Telegram asks; calls
 * that wait go on waiting. grammY is loaded by the first call: a server without a bot never pays for it.
 */
export function createBotApi(options: BotApiOptions): BotApi {
  const pacer = createPacer(options.pace ?? TELEGRAM_PACE);
  let loaded: Promise<Api> | undefined;

  async function load(): Promise<Api> {
    const { Api } = await import('grammy');
    return new Api(options.token, {
      apiRoot: options.apiRoot,
      // Ours ends a call; grammY's own must only never be the first.
      timeoutSeconds: 120,
      // The address holds the token: it is followed nowhere else.
      baseFetchConfig: { redirect: 'error', compress: true },
    });
  }

  async function once<M extends BotMethod>(
    method: M,
    parameters: BotParameters<M>,
    outer: AbortSignal | undefined,
    longestPauseSeconds: number | undefined,
  ): Promise<ApiAnswer<BotResult<M>>> {
    const polls = method === 'getUpdates';
    try {
      if (!polls)
        await pacer.turn({ chatId: chatOf(method, parameters), signal: outer, longestPauseSeconds });
    } catch (fault) {
      if (fault instanceof Paused) {
        const retryAfterSeconds = Math.max(1, pacer.pausedFor());
        return { ok: false, status: 429, description: 'paused', retryAfterSeconds };
      }
      const full = fault instanceof QueueFull;
      return { ok: false, status: 0, description: full ? 'too many calls wait' : 'given up before its turn' };
    }
    const patience = AbortSignal.timeout(
      polls ? 60_000 : (options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS),
    );
    const signal = outer ? AbortSignal.any([outer, patience]) : patience;
    try {
      loaded ??= load();
      const { raw } = await loaded;
      const call = raw[method] as (...given: unknown[]) => Promise<BotResult<M>>;
      // grammY gives a method without parameters none, and takes what comes first for the signal.
      const given = TAKES_NOTHING.has(method) ? [signal] : [parameters, signal];
      return { ok: true, result: await call(...given) };
    } catch (fault) {
      const answer = readFault(fault);
      if (answer.retryAfterSeconds !== undefined) pacer.pause(answer.retryAfterSeconds);
      return answer;
    }
  }

  return {
    pausedFor: () => pacer.pausedFor(),
    async call(method, parameters, { signal, patient = false, longestPauseSeconds } = {}) {
      const begun = performance.now();
      for (let attempt = 1; ; attempt++) {
        const answer = await once(method, parameters, signal, longestPauseSeconds);
        if (answer.ok || !patient || !isPassing(answer.status) || signal?.aborted) return answer;
        if (performance.now() - begun > PATIENCE_MILLISECONDS) return answer;
        // A pause is kept by the queue; while Telegram is away each call asks again on its own, ever less often.
        if (answer.status !== 429) await rest(Math.min(60_000, 500 * 2 ** attempt), signal);
      }
    },
  };
}

/** Will it perhaps work later? */
function isPassing(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}

function chatOf(method: string, parameters: unknown): string | undefined {
  const { chat_id: chatId } = (parameters ?? {}) as { chat_id?: string | number };
  return chatId !== undefined && WRITES_TO_CHAT.test(method) ? String(chatId) : undefined;
}

function readFault(fault: unknown): Extract<ApiAnswer<never>, { ok: false }> {
  const {
    error_code: status,
    description,
    parameters,
  } = (fault ?? {}) as {
    error_code?: unknown;
    description?: unknown;
    parameters?: { retry_after?: unknown };
  };
  if (typeof status !== 'number') return { ok: false, status: 0, description: 'Telegram was not reached' };
  const text = redactBotToken(typeof description === 'string' ? description.slice(0, 200) : '');
  if (status !== 429) return { ok: false, status, description: text };
  const asked = Number(parameters?.retry_after);
  const retryAfterSeconds = Number.isFinite(asked) && asked > 0 ? asked : 1;
  return { ok: false, status, description: text, retryAfterSeconds };
}

function rest(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds).unref();
    signal?.addEventListener('abort', done, { once: true });
  });
}
