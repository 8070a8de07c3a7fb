import type { Gateway } from '../../config/gateway.ts';
import type { Envelope, Provider, SendResult } from '../provider.ts';
import { sizeOfSms } from '../segments.ts';
import { oneLine } from '../templates/display-text.ts';
import { readable, wordAt } from './gateway-answer.ts';
import { fillRequest, type SlotValues } from './gateway-request.ts';
import { type HttpAnswer, type HttpCaller, resultOfStatus, retryAfterOf } from './http-caller.ts';

export interface HttpGatewayOptions {
  gateway: Gateway;
  http: HttpCaller;
  /** Where its reports come; empty where it cannot reach this server. */
  callbackUrl: string;
  serves: (tenantId: string | undefined) => boolean;
}

/** A token is given up a little before its end, so that none expires on its way. */
const TOKEN_MARGIN_SECONDS = 30;
const LONGEST_TOKEN = 8000;

/** A gateway that is known by its description alone. */
export function createHttpGateway(options: HttpGatewayOptions): Provider {
  const { gateway, http } = options;
  const { login, success } = gateway;
  let held: { token: Promise<string | undefined>; until: number } | undefined;

  /** The token of the login, fetched once for all who wait for it. */
  function tokenNow(signal: AbortSignal): Promise<string | undefined> {
    if (!login) return Promise.resolve('');
    if (held && performance.now() < held.until) return held.token;
    const lifetime = Math.max(1, login.lifetimeSeconds - TOKEN_MARGIN_SECONDS) * 1000;
    const fetched = { token: fetchToken(login, signal), until: performance.now() + lifetime };
    held = fetched;
    void fetched.token.then((token) => {
      if (token === undefined && held === fetched) held = undefined;
    });
    return fetched.token;
  }

  async function fetchToken(by: NonNullable<Gateway['login']>, signal: AbortSignal) {
    const answer = await http.call(fillRequest(by.request, { ...NOTHING }), signal);
    if (!answer.ok || answer.status < 200 || answer.status > 299) return undefined;
    return wordAt(by.token, readable(answer.text), LONGEST_TOKEN);
  }

  async function send(envelope: Envelope, signal: AbortSignal): Promise<SendResult> {
    if (gateway.codesOnly && envelope.code === null) {
      return { state: 'refused', error: `${gateway.name} carries codes only` };
    }
    for (const isLast of [false, true]) {
      const token = await tokenNow(signal);
      if (token === undefined) return { state: 'retry', error: `${gateway.name} login failed` };
      const values = valuesOf(envelope, token, options.callbackUrl);
      const answer = await http.call(fillRequest(gateway.send, values), signal);
      // A token may end before its time: once more with a new one, not twice.
      if (login && !isLast && answer.ok && answer.status === 401) {
        held = undefined;
        continue;
      }
      return read(answer, envelope.id);
    }
    return { state: 'retry', error: `${gateway.name} login failed` };
  }

  function read(answer: HttpAnswer, ours: string): SendResult {
    const { name } = gateway;
    if (!answer.ok) return { state: 'retry', error: `${name} ${answer.error}` };
    const { status, headers } = answer;
    const content = readable(answer.text);
    const expected = success.status?.includes(status) ?? (status >= 200 && status < 300);
    const word = success.when && wordAt(success.when, content);
    const said =
      success.when === undefined || (success.is ? success.is.includes(word ?? '') : word !== undefined);
    if (expected && said) {
      const id =
        gateway.messageId === 'ours' ? ours : gateway.messageId && wordAt(gateway.messageId, content);
      // Where nothing but the id tells a success, a page without one is none.
      if (gateway.messageId && id === undefined && success.when === undefined) {
        return { state: 'retry', error: `${name} answered without a message id` };
      }
      return { state: 'sent', providerMessageId: id ?? null };
    }
    const code = gateway.errorCode && wordAt(gateway.errorCode, content);
    const known =
      code !== undefined && Object.hasOwn(gateway.errors, code) ? gateway.errors[code] : undefined;
    // Only a code that the description knows is written down: anything else might quote the message.
    if (known === undefined) {
      return status >= 200 && status < 300
        ? { state: 'retry', error: `${name} http ${status} without success` }
        : resultOfStatus(name, status, headers);
    }
    const error = `${name} ${code}`;
    const retryAfterSeconds = retryAfterOf(headers);
    if (known === 'retry') {
      return { state: 'retry', error, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    }
    return known === 'next' ? { state: 'refused', error } : { state: 'refused', error, remedy: known };
  }

  return {
    name: gateway.name,
    ...(gateway.limits ? { limits: gateway.limits } : {}),
    ...(gateway.codesOnly ? { hasOwnText: true } : {}),
    ...(gateway.channels.includes('telegram') ? { reachesByPhone: true } : {}),
    carries: (channel, tenantId) => gateway.channels.includes(channel) && options.serves(tenantId),
    send,
  };
}

const NOTHING: SlotValues = {
  to: '',
  to_digits: '',
  text: '',
  code: '',
  id: '',
  sender: '',
  locale: '',
  expires_in: '',
  token: '',
  callback_url: '',
  encoding: '',
};

function valuesOf(envelope: Envelope, token: string, callbackUrl: string): SlotValues {
  return {
    to: envelope.to,
    to_digits: envelope.to.replace(/\D/g, ''),
    text: envelope.text,
    code: envelope.code ?? '',
    id: envelope.id,
    sender: oneLine(envelope.senderName ?? ''),
    locale: envelope.locale ?? '',
    expires_in: String(Math.max(1, Math.floor(envelope.expiresIn))),
    token,
    callback_url: callbackUrl,
    encoding: sizeOfSms(envelope.text).encoding,
  };
}
