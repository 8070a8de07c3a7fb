import type { TwilioAccount } from '../../config/provider-settings.ts';
import type { SendResult } from '../provider.ts';
import { type HttpAnswer, type HttpCaller, jsonObject, resultOfStatus, retryAfterOf } from './http-caller.ts';
import { resultOfTwilioError } from './twilio-errors.ts';

/** Calls of Twilio's REST API: form in, JSON out, HTTP Basic. */
export interface TwilioApi {
  readonly accountSid: string;
  post(url: string, form: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<TwilioAnswer>;
}

export type TwilioAnswer =
  | { ok: true; body: Record<string, unknown> }
  /** `code` is Twilio's own, where its answer had one. */
  | { ok: false; status: number | undefined; code: number | undefined; result: SendResult };

export function createTwilioApi(account: TwilioAccount, http: HttpCaller): TwilioApi {
  const { user, password } = account.apiKey ?? { user: account.accountSid, password: account.authToken };
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return {
    accountSid: account.accountSid,
    async post(url, form, signal) {
      const answer = await http.call(
        {
          method: 'POST',
          url,
          headers: {
            authorization,
            accept: 'application/json',
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: new URLSearchParams(form).toString(),
        },
        signal,
      );
      return readAnswer(answer);
    },
  };
}

function readAnswer(answer: HttpAnswer): TwilioAnswer {
  if (!answer.ok) {
    const result: SendResult = { state: 'retry', error: `twilio ${answer.error}` };
    return { ok: false, status: undefined, code: undefined, result };
  }
  const { status, headers } = answer;
  const body = jsonObject(answer.text);
  if (status >= 200 && status < 300) {
    if (body) return { ok: true, body };
    const result: SendResult = { state: 'retry', error: `twilio http ${status} without an answer` };
    return { ok: false, status, code: undefined, result };
  }
  const code = typeof body?.['code'] === 'number' ? body['code'] : undefined;
  const known = code === undefined ? undefined : resultOfTwilioError(code, retryAfterOf(headers));
  const result = known ?? resultOfStatus(code === undefined ? 'twilio' : `twilio ${code}`, status, headers);
  return { ok: false, status, code, result };
}
