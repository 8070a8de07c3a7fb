import { createHash, createHmac } from 'node:crypto';
import type { DeliveryReport } from '../provider.ts';
import { freshness, type ReadCallback, sameText } from './callback.ts';
import { jsonObject } from './http-caller.ts';

/** What became of it, in our words; revoked is our own doing. */
const STATES: Readonly<Record<string, DeliveryReport['state']>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  expired: 'failed',
};

/**
 * Reads a report of the Telegram Gateway: X-Request-Signature is the hex HMAC-SHA256 of timestamp, line feed and body,
 * by the SHA-256 of the access token (https://core.telegram.org/gateway/api#checking-report-integrity).
 */
export function createTelegramGatewayCallback(token: string, now: () => Date): ReadCallback {
  const key = createHash('sha256').update(token).digest();
  return (request) => {
    const timestamp = request.header('x-request-timestamp') ?? '';
    const expected = createHmac('sha256', key).update(`${timestamp}\n`).update(request.body).digest('hex');
    if (!sameText(request.header('x-request-signature')?.toLowerCase(), expected)) {
      return { ok: false, why: 'forged' };
    }
    const age = freshness(timestamp, now());
    if (age !== 'fresh') return { ok: false, why: age ?? 'forged' };
    const body = jsonObject(request.body.toString('utf8'));
    const id = body?.['request_id'];
    if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,200}$/.test(id)) return { ok: false, why: 'unreadable' };
    const status = (body?.['delivery_status'] as { status?: unknown } | null | undefined)?.status;
    const state = typeof status === 'string' && Object.hasOwn(STATES, status) ? STATES[status] : undefined;
    if (state === undefined) return { ok: true, reports: [] };
    const report = { provider: 'telegram-gateway', providerMessageId: id, state };
    return {
      ok: true,
      reports: [state === 'failed' ? { ...report, error: 'telegram gateway expired' } : report],
    };
  };
}
