import { createHash, createHmac } from 'node:crypto';
import type { DeliveryReport } from '../provider.ts';
import { type CallbackRequest, fieldsOf, type ReadCallback, sameText } from './callback.ts';
import { jsonObject } from './http-caller.ts';
import { remedyOfTwilioError } from './twilio-errors.ts';

/** MessageStatus in our words; queued, accepted, sending and scheduled tell nothing that we do not know. */
const STATES: Readonly<Record<string, DeliveryReport['state']>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};

/**
 * Reads what Twilio reports about a message. The signature (X-Twilio-Signature, HMAC-SHA1 by the auth token) is over
 * the exact public URL with its query, and then the form's fields by name; a JSON body is bound by its SHA-256 in the
 * query (https://www.twilio.com/docs/usage/webhooks/webhooks-security).
 * @param url the callback's address as Twilio was told it, never as a request names it
 */
export function createTwilioCallback(url: string, authToken: string): ReadCallback {
  return (request) => {
    const isJson = /^application\/json\b/i.test(request.header('content-type') ?? '');
    const text = request.body.toString('utf8');
    if (!isSigned(request, url, authToken, isJson ? '' : sortedFields(text)))
      return { ok: false, why: 'forged' };
    if (isJson) {
      const claimed = new URLSearchParams(request.query).get('bodySHA256') ?? undefined;
      const actual = createHash('sha256').update(request.body).digest('hex');
      if (!sameText(claimed?.toLowerCase(), actual)) return { ok: false, why: 'forged' };
    }
    const fields = isJson ? jsonObject(text) : fieldsOf(text);
    const report = fields && reportOf(fields);
    return report
      ? { ok: true, reports: report === 'nothing' ? [] : [report] }
      : { ok: false, why: 'unreadable' };
  };
}

function isSigned(request: CallbackRequest, url: string, authToken: string, fields: string): boolean {
  const given = request.header('x-twilio-signature');
  const whole = request.query === '' ? url : `${url}?${request.query}`;
  const expected = createHmac('sha1', authToken)
    .update(whole + fields)
    .digest('base64');
  return sameText(given, expected);
}

/** Name and value of each field, one after the other, sorted by name. */
function sortedFields(text: string): string {
  return [...new URLSearchParams(text)]
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([name, value]) => name + value)
    .join('');
}

function reportOf(fields: Record<string, unknown>): DeliveryReport | 'nothing' | undefined {
  const sid = fields['MessageSid'] ?? fields['SmsSid'];
  const status = fields['MessageStatus'] ?? fields['SmsStatus'];
  if (typeof sid !== 'string' || !/^(SM|MM)[0-9a-f]{32}$/i.test(sid) || typeof status !== 'string')
    return undefined;
  const state = Object.hasOwn(STATES, status) ? STATES[status] : undefined;
  if (state === undefined) return 'nothing';
  const report = { provider: 'twilio-messaging', providerMessageId: sid, state };
  const code = Number(fields['ErrorCode']);
  if (state !== 'failed' || !Number.isInteger(code) || code < 10_000 || code > 99_999) return report;
  const remedy = remedyOfTwilioError(code);
  return { ...report, error: `twilio ${code}`, ...(remedy ? { remedy } : {}) };
}
