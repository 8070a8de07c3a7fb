import type { Provider, SendResult } from '../provider.ts';
import { type HttpCaller, jsonObject, resultOfStatus, retryLater } from './http-caller.ts';

export interface TelegramGatewayOptions {
  http: HttpCaller;
  token: string;
  /** A verified channel of one's own that the codes come from. */
  sender: string | undefined;
  /** Where delivery reports come; undefined: nowhere, as Telegram cannot reach this server. */
  callbackUrl: string | undefined;
  serves: (tenantId: string | undefined) => boolean;
  apiRoot?: string;
}

/** What the Gateway's error words ask for; for others see below. https://core.telegram.org/gateway/api */
const REFUSALS: Readonly<Record<string, 'next' | 'suppress' | 'alarm'>> = {
  ACCESS_TOKEN_INVALID: 'alarm',
  ACCESS_TOKEN_REQUIRED: 'alarm',
  BALANCE_NOT_ENOUGH: 'alarm',
  CALLBACK_URL_INVALID: 'alarm',
  SENDER_NOT_VERIFIED: 'alarm',
  SENDER_USERNAME_INVALID: 'alarm',
  PHONE_NUMBER_INVALID: 'next',
  // Has no Telegram today; may have one next month, and the engine forgets after a while.
  PHONE_NUMBER_NOT_FOUND: 'suppress',
  PHONE_NUMBER_NOT_AVAILABLE: 'suppress',
};
/** The Gateway deletes a message that was not delivered in time: 60 seconds to a day. */
const LEAST_TTL_SECONDS = 60;
const REQUEST_ID = /^[A-Za-z0-9_-]{1,200}$/;

/** Codes for phones by the Telegram Gateway: always our own code, so that our counters hold. */
export function createTelegramGateway(options: TelegramGatewayOptions): Provider {
  const { http, apiRoot = 'https://gatewayapi.telegram.org' } = options;

  async function call(method: string, fields: Record<string, unknown>, signal: AbortSignal) {
    return http.call(
      {
        method: 'POST',
        url: `${apiRoot}/${method}`,
        headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(fields),
      },
      signal,
    );
  }

  return {
    name: 'telegram-gateway',
    reachesByPhone: true,
    carries: (channel, tenantId) => channel === 'telegram' && options.serves(tenantId),
    async send(envelope, signal): Promise<SendResult> {
      const { code, to } = envelope;
      // It carries 4 to 8 digits and nothing else, to a phone and nobody else.
      if (code === null || code.length > 8 || !to.startsWith('+')) {
        return { state: 'refused', error: 'telegram gateway carries codes of 4 to 8 digits to phones only' };
      }
      const answer = await call(
        'sendVerificationMessage',
        {
          phone_number: to,
          code,
          ttl: Math.max(LEAST_TTL_SECONDS, Math.floor(envelope.expiresIn)),
          payload: envelope.id,
          ...(options.sender === undefined ? {} : { sender_username: options.sender }),
          ...(options.callbackUrl === undefined ? {} : { callback_url: options.callbackUrl }),
        },
        signal,
      );
      if (!answer.ok) return { state: 'retry', error: `telegram gateway ${answer.error}` };
      const body = jsonObject(answer.text);
      if (body?.['ok'] === true) return readRequest(body['result']);
      const word = body?.['error'];
      if (body?.['ok'] !== false || typeof word !== 'string' || !/^[A-Z0-9_]{3,60}$/.test(word)) {
        return answer.status < 400
          ? { state: 'retry', error: 'telegram gateway answered nothing that can be read' }
          : resultOfStatus('telegram gateway', answer.status, answer.headers);
      }
      return resultOfWord(word, answer.headers);
    },
    async revoke(requestId, signal) {
      if (!REQUEST_ID.test(requestId)) return;
      const answer = await call('revokeVerificationMessage', { request_id: requestId }, signal);
      if (!answer.ok) throw new Error(`telegram gateway ${answer.error}`);
    },
  };
}

function readRequest(result: unknown): SendResult {
  const id = (result as { request_id?: unknown } | null)?.request_id;
  return typeof id === 'string' && REQUEST_ID.test(id)
    ? { state: 'sent', providerMessageId: id }
    : { state: 'retry', error: 'telegram gateway answered without a request id' };
}

function resultOfWord(word: string, headers: Headers): SendResult {
  const error = `telegram gateway ${word}`;
  const flood = /^FLOOD_WAIT_(\d{1,6})$/.exec(word);
  if (flood) return { state: 'retry', error, retryAfterSeconds: Math.min(600, Number(flood[1])) };
  if (/^(FLOOD|INTERNAL|TIMEOUT)/.test(word)) return retryLater(error, headers);
  const verdict = REFUSALS[word] ?? 'next';
  return verdict === 'next' ? { state: 'refused', error } : { state: 'refused', error, remedy: verdict };
}
