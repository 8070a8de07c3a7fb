import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { loadBotApiSpec, parameterProblems, resultProblems } from './bot-api-spec.ts';

export interface SentMessage {
  chat_id: number;
  text: string;
  protect_content?: boolean;
  reply_markup?: {
    inline_keyboard?: { text: string; callback_data?: string; copy_text?: { text: string } }[][];
  };
}

export interface FakeLimits {
  callsPerWindow: number;
  windowMilliseconds: number;
  chatMilliseconds: number;
}

/** A call that left before its bot had read the 429 could not know of it. */
const ON_ITS_WAY_MILLISECONDS = 250;

type Parameters = Record<string, unknown>;

/**
 * A Bot API for tests: keeps its limits, answers 429 when they are broken or when told to, can be away or slow, and
 * collects whatever does not fit the description of the real one in `problems`.
 */
export async function startFakeBotApi(limits?: FakeLimits) {
  const spec = loadBotApiSpec();
  const sent: SentMessage[] = [];
  const calls: { token: string; method: string; parameters: Parameters }[] = [];
  const problems: string[] = [];
  const blocked = new Set<number>();
  const queues = new Map<string, { update_id: number }[]>();
  const polling = new Set<string>();
  const begun: number[] = [];
  const chats = new Map<number, number>();
  const state = {
    mode: 'up' as 'up' | 'down' | 'hang',
    /** Every so many calls are answered 429, and the bot is to be silent for so many seconds. */
    pauseEvery: 0,
    pauseSeconds: 1,
    /** Calls that came although the bot was to be silent, and had been told so. */
    duringPause: 0,
    /** Calls beyond the limits. */
    tooFast: 0,
    pauses: 0,
  };
  let pausedUntil = 0;
  let pausedSince = 0;
  let messageId = 0;
  let closed = false;

  function refuse(status: number, description: string, parameters?: Parameters) {
    return { ok: false, error_code: status, description, ...(parameters ? { parameters } : {}) };
  }

  function limited(method: string, { chat_id: chat }: Parameters) {
    const now = performance.now();
    if (now < pausedUntil) {
      if (now > pausedSince + ON_ITS_WAY_MILLISECONDS) state.duringPause++;
      return refuse(429, 'Too Many Requests', { retry_after: Math.ceil((pausedUntil - now) / 1000) });
    }
    if (state.pauseEvery > 0 && calls.length % state.pauseEvery === 0) {
      state.pauses++;
      pausedSince = now;
      pausedUntil = now + state.pauseSeconds * 1000;
      return refuse(429, 'Too Many Requests: retry later', { retry_after: state.pauseSeconds });
    }
    if (!limits) return undefined;
    while (begun.length > 0 && (begun[0] as number) <= now - limits.windowMilliseconds) begun.shift();
    const last = method === 'sendMessage' ? chats.get(chat as number) : undefined;
    if (
      begun.length >= limits.callsPerWindow ||
      (last !== undefined && now - last < limits.chatMilliseconds)
    ) {
      state.tooFast++;
      return refuse(429, 'Too Many Requests', { retry_after: 1 });
    }
    begun.push(now);
    if (method === 'sendMessage') chats.set(chat as number, now);
    return undefined;
  }

  async function answer(token: string, method: string, parameters: Parameters): Promise<unknown> {
    calls.push({ token, method, parameters });
    if (spec) problems.push(...parameterProblems(spec, method, parameters));
    const refused = method === 'getUpdates' ? undefined : limited(method, parameters);
    if (refused) return refused;
    const result = await resultOf(token, method, parameters);
    if (isRefusal(result)) return result;
    if (spec) problems.push(...resultProblems(spec, method, result));
    return { ok: true, result };
  }

  async function resultOf(token: string, method: string, parameters: Parameters): Promise<unknown> {
    const id = Number(token.split(':')[0]);
    const me = { id, is_bot: true, first_name: 'Bot', username: `bot_${id}_bot` };
    switch (method) {
      case 'getMe':
        return me;
      case 'getUpdates':
        return fetchUpdates(token, parameters);
      case 'sendMessage':
      case 'editMessageText': {
        // Telegram takes the number of a chat as text, too.
        const message = { ...parameters, chat_id: Number(parameters['chat_id']) } as unknown as SentMessage;
        if (blocked.has(message.chat_id)) return refuse(403, 'Forbidden: bot was blocked by the user');
        if (message.chat_id === 404) return refuse(400, 'Bad Request: chat not found');
        sent.push(message);
        const chat = { id: message.chat_id, type: 'private', first_name: 'X' };
        return { message_id: ++messageId, date: 1, chat, from: me, text: message.text };
      }
      default:
        return true;
    }
  }

  async function fetchUpdates(token: string, { offset = 0, timeout = 0 }: Parameters): Promise<unknown> {
    if (polling.has(token)) return refuse(409, 'Conflict: terminated by other getUpdates request');
    polling.add(token);
    try {
      const until = performance.now() + Number(timeout) * 1000;
      for (;;) {
        const queue = (queues.get(token) ?? []).filter((update) => update.update_id >= Number(offset));
        queues.set(token, queue);
        if (queue.length > 0 || performance.now() > until || closed) return queue.slice(0, 100);
        await wait(10);
      }
    } finally {
      polling.delete(token);
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, token = '', method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? '') ?? [];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (state.mode === 'hang') return;
    if (state.mode === 'down') return void response.writeHead(502).end('<html>Bad Gateway</html>');
    const body = Buffer.concat(chunks).toString();
    const gone = new Promise<void>((resolve) => response.on('close', resolve));
    const result = await Promise.race([
      answer(token, method, body === '' ? {} : (JSON.parse(body) as Parameters)),
      gone.then(() => undefined),
    ]);
    if (result === undefined) polling.delete(token);
    const status = isRefusal(result) ? result.error_code : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((fault: unknown) => {
      problems.push(String(fault));
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Is the description of the real one at hand? */
    isCompared: spec !== undefined,
    state,
    sent,
    calls,
    problems,
    blocked,
    /** What people write: fetched by the bot's next poll. */
    bring(token: string, update: { update_id: number }): void {
      queues.set(token, [...(queues.get(token) ?? []), update]);
    },
    to: (chatId: number) => sent.filter((message) => message.chat_id === chatId),
    async close() {
      closed = true;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isRefusal(value: unknown): value is { error_code: number } {
  return typeof value === 'object' && value !== null && 'error_code' in value;
}

/** Waits until something holds; fails after ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (await holds()) return;
    await wait(10);
  }
  throw new Error(`${what} did not happen`);
}
