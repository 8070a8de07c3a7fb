import type { Provider, SendResult } from '../provider.ts';
import type { TwilioApi } from './twilio-api.ts';
import { resultOfTwilioError } from './twilio-errors.ts';

export interface TwilioMessagingOptions {
  api: TwilioApi;
  /** A messaging service (MG…), or a number or name of the account. */
  sender: { service: string } | { from: string };
  /** Where delivery reports come; undefined: nowhere, as Twilio cannot reach this server. */
  statusCallback: string | undefined;
  serves: (tenantId: string | undefined) => boolean;
  apiRoot?: string;
}

/** Twilio leaves a message that has waited longer than this unsent. It takes 1 to 36,000 seconds. */
const LEAST_VALIDITY_SECONDS = 10;

/** SMS with our own text by Twilio Programmable Messaging (API 2010-04-01, resource Messages). */
export function createTwilioMessaging(options: TwilioMessagingOptions): Provider {
  const { api, sender, statusCallback, apiRoot = 'https://api.twilio.com' } = options;
  const url = `${apiRoot}/2010-04-01/Accounts/${api.accountSid}/Messages.json`;
  return {
    name: 'twilio-messaging',
    carries: (channel, tenantId) => channel === 'sms' && options.serves(tenantId),
    async send(envelope, signal) {
      const validity = Math.min(36_000, Math.max(LEAST_VALIDITY_SECONDS, Math.floor(envelope.expiresIn)));
      const answer = await api.post(
        url,
        {
          To: envelope.to,
          Body: envelope.text,
          ...('service' in sender ? { MessagingServiceSid: sender.service } : { From: sender.from }),
          ...(statusCallback === undefined ? {} : { StatusCallback: statusCallback }),
          ValidityPeriod: String(validity),
          RiskCheck: 'enable',
        },
        signal,
      );
      return answer.ok ? readMessage(answer.body) : answer.result;
    },
  };
}

/** A message that was made: its id; or the error that it was made with. */
function readMessage({ sid, status, error_code: errorCode }: Record<string, unknown>): SendResult {
  if (typeof errorCode === 'number' || status === 'failed' || status === 'undelivered') {
    const code = typeof errorCode === 'number' ? errorCode : 0;
    return resultOfTwilioError(code) ?? { state: 'refused', error: `twilio ${code || 'failed'}` };
  }
  if (typeof sid !== 'string' || !/^(SM|MM)[0-9a-f]{32}$/i.test(sid)) {
    return { state: 'retry', error: 'twilio answered without a message id' };
  }
  return { state: 'sent', providerMessageId: sid };
}
