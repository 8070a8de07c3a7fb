import { createHmac } from 'node:crypto';
import type { Gateway, GatewayCallback } from '../../config/gateway.ts';
import type { DeliveryReport } from '../provider.ts';
import { type CallbackRequest, fieldsOf, freshness, type ReadCallback, sameText } from './callback.ts';
import { atPointer, readable, wordOf } from './gateway-answer.ts';

/** One callback of a gateway may carry so many reports. */
const MOST_REPORTS = 500;

/** Reads the reports of a gateway as its description says. */
export function createGatewayCallback(
  gateway: Gateway & { callback: GatewayCallback },
  now: () => Date,
): ReadCallback {
  const { callback, name } = gateway;
  return (request) => {
    const why = distrust(callback, request, now());
    if (why) return { ok: false, why };
    const content = contentOf(callback, request);
    const list = callback.reports === undefined ? [content] : atPointer(content, callback.reports);
    if (!Array.isArray(list) || list.length > MOST_REPORTS) return { ok: false, why: 'unreadable' };
    const reports = list.flatMap((one: unknown): DeliveryReport[] => {
      const id = wordOf(atPointer(one, callback.messageId));
      const word = wordOf(atPointer(one, callback.state)) ?? '';
      const state = Object.hasOwn(callback.states, word) ? callback.states[word] : undefined;
      if (id === undefined || state === undefined) return [];
      const report = { provider: name, providerMessageId: id, state };
      return [state === 'failed' ? { ...report, ...failureOf(gateway, one) } : report];
    });
    return { ok: true, reports };
  };
}

/** Why a request is not believed; undefined when it is. Every proof that the description names has to hold. */
function distrust(
  { secret, signature }: GatewayCallback,
  request: CallbackRequest,
  now: Date,
): 'forged' | 'stale' | undefined {
  if (secret) {
    const given =
      secret.query === undefined
        ? request.header(secret.header ?? '')
        : fieldsOf(request.query)?.[secret.query];
    if (!sameText(given, secret.value)) return 'forged';
  }
  if (!signature) return secret ? undefined : 'forged';
  const hmac = createHmac(signature.algorithm, signature.key);
  const timestamp = signature.timestampHeader && request.header(signature.timestampHeader);
  if (signature.timestampHeader !== undefined) hmac.update(`${timestamp ?? ''}${signature.separator}`);
  const digest = hmac.update(request.body).digest(signature.encoding);
  if (!sameText(request.header(signature.header), signature.prefix + digest)) return 'forged';
  if (signature.timestampHeader === undefined) return undefined;
  const age = freshness(timestamp, now);
  return age === 'fresh' ? undefined : (age ?? 'forged');
}

function contentOf({ format }: GatewayCallback, request: CallbackRequest): unknown {
  if (format === 'query') return fieldsOf(request.query);
  const text = request.body.toString('utf8');
  return format === 'form' ? fieldsOf(text) : readable(text).json;
}

/** Their code, where the description knows it: anything else could be anybody's words. */
function failureOf(gateway: Gateway & { callback: GatewayCallback }, one: unknown): Partial<DeliveryReport> {
  const { errorCode } = gateway.callback;
  const code = errorCode === undefined ? undefined : wordOf(atPointer(one, errorCode));
  if (code === undefined || !/^[A-Za-z0-9_.-]{1,60}$/.test(code)) return { error: `${gateway.name} failed` };
  const verdict = Object.hasOwn(gateway.errors, code) ? gateway.errors[code] : undefined;
  return {
    error: `${gateway.name} ${code}`,
    ...(verdict === 'suppress' || verdict === 'alarm' ? { remedy: verdict } : {}),
  };
}
