import { oneLine, shorten } from '../templates/display-text.ts';
import type { Envelope, Provider, SendResult } from '../provider.ts';
import type { TwilioApi } from './twilio-api.ts';

export interface TwilioVerifyOptions {
  api: TwilioApi;
  /** The Verify service (VA…). */
  service: string;
  /** `own`: our code, by CustomCode. `twilio`: Twilio makes and checks it. */
  codes: 'own' | 'twilio';
  serves: (tenantId: string | undefined) => boolean;
  apiRoot?: string;
}

/** What Twilio says of a code it made. */
export type CodeCheck =
  | 'approved'
  | 'wrong'
  /** Used, expired, or never made (404): a new one has to be asked for. */
  | 'expired'
  /** Five wrong ones at Twilio (60202): nothing will fit any more. */
  | 'burned'
  /** No answer, or one that cannot be used: it may have been approved, and nobody will ever know. */
  | 'unknown';

export interface TwilioVerify extends Provider {
  /** Present where Twilio makes the codes: asks whether this one fits. The caller has counted the attempt. */
  checkCode?: (providerMessageId: string, code: string, signal?: AbortSignal) => Promise<CodeCheck>;
  approve(providerMessageId: string, signal?: AbortSignal): Promise<void>;
  revoke(providerMessageId: string, signal?: AbortSignal): Promise<void>;
}

const CHANNELS: Readonly<Record<string, string>> = { sms: 'sms', voice: 'call' };
/** https://www.twilio.com/docs/verify/supported-languages; for others Twilio goes by the number's country. */
const LANGUAGES: ReadonlySet<string> = new Set(
  'af ar bg bn ca cs da de el en es et fi fr gu he hi hr hu id it ja kn ko lt lv mr ms nb nl pl pt ro ru sk sl sr sv sw ta te th tl tr uk vi zh'.split(
    ' ',
  ),
);
/** Where the code is asked about by verify-code; a session that links or steps up takes our own codes only. */
const CHECKED_ELSEWHERE: ReadonlySet<string> = new Set(['sign_in_code', 'verify_sign_up', 'forgot_password']);
const LONGEST_FRIENDLY_NAME = 30;
const VERIFICATION_SID = /^VE[0-9a-f]{32}$/i;

/** SMS and calls by Twilio Verify v2. Notices carry no code and are refused: another provider takes them. */
export function createTwilioVerify(options: TwilioVerifyOptions): TwilioVerify {
  const { api, codes, apiRoot = 'https://verify.twilio.com' } = options;
  const service = `${apiRoot}/v2/Services/${options.service}`;

  async function send(envelope: Envelope, signal: AbortSignal): Promise<SendResult> {
    const channel = CHANNELS[envelope.channel];
    if (envelope.code === null || channel === undefined) {
      return { state: 'refused', error: 'twilio verify carries codes only' };
    }
    if (codes === 'twilio' && envelope.template !== undefined && !CHECKED_ELSEWHERE.has(envelope.template)) {
      return { state: 'refused', error: 'twilio verify makes codes for signing in only' };
    }
    const language = envelope.locale?.split('-')[0] ?? '';
    const name = oneLine(envelope.senderName ?? '');
    const answer = await api.post(
      `${service}/Verifications`,
      {
        To: envelope.to,
        Channel: channel,
        ...(codes === 'own' ? { CustomCode: envelope.code } : {}),
        ...(LANGUAGES.has(language) ? { Locale: language } : {}),
        ...(name === '' ? {} : { CustomFriendlyName: shorten(name, LONGEST_FRIENDLY_NAME) }),
        ...(channel === 'sms' && envelope.androidHash !== undefined ? { AppHash: envelope.androidHash } : {}),
        RiskCheck: 'enable',
      },
      signal,
    );
    if (!answer.ok) return answer.result;
    const { sid, status } = answer.body;
    if (typeof sid !== 'string' || !VERIFICATION_SID.test(sid)) {
      return { state: 'retry', error: 'twilio verify answered without an id' };
    }
    return status === 'pending'
      ? { state: 'sent', providerMessageId: sid }
      : { state: 'refused', error: 'twilio verify answered without a pending verification' };
  }

  /** Tells Twilio how a verification of ours ended. Its own expiry does the rest where this fails. */
  async function finish(sid: string, status: 'approved' | 'canceled', signal?: AbortSignal): Promise<void> {
    if (!VERIFICATION_SID.test(sid)) return;
    const answer = await api.post(`${service}/Verifications/${sid}`, { Status: status }, signal);
    // 404: it has ended already.
    if (!answer.ok && answer.status !== 404) throw new Error(`twilio verify could not be told: ${status}`);
  }

  async function checkCode(sid: string, code: string, signal?: AbortSignal): Promise<CodeCheck> {
    if (!VERIFICATION_SID.test(sid)) return 'expired';
    const form = { VerificationSid: sid, Code: code };
    const answer = await api.post(`${service}/VerificationCheck`, form, signal);
    if (!answer.ok) {
      if (answer.code === 60202) return 'burned';
      return answer.status === 404 ? 'expired' : 'unknown';
    }
    // An answer about another verification is none.
    if (answer.body['sid'] !== sid) return 'unknown';
    switch (answer.body['status']) {
      case 'approved':
        return 'approved';
      case 'pending':
        return 'wrong';
      case 'canceled':
      case 'expired':
      case 'deleted':
        return 'expired';
      case 'max_attempts_reached':
        return 'burned';
      default:
        return 'unknown';
    }
  }

  return {
    name: 'twilio-verify',
    hasOwnText: true,
    carries: (channel, tenantId) => Object.hasOwn(CHANNELS, channel) && options.serves(tenantId),
    send,
    approve: (sid, signal) => finish(sid, 'approved', signal),
    revoke: (sid, signal) => finish(sid, 'canceled', signal),
    ...(codes === 'twilio' ? { checkCode } : {}),
  };
}
