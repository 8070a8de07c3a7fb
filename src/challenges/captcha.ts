import type { CaptchaSettings } from '../config/challenge-settings.ts';
import type { Log } from '../kernel/log.ts';

/** `away`: the provider could not be asked, or would not judge for us. */
export type Verdict = 'person' | 'no_person' | 'away';

/** Asks whether the token that somebody's browser was given is genuine. */
export type Captcha = (token: string) => Promise<Verdict>;

const TIMEOUT_MILLISECONDS = 5000;
/** Questions under way at once; more of them mean that the provider is slow, and would only wait. */
const MOST_UNDER_WAY = 50;
const LONGEST_TOKEN = 8192;
/** Codes of both providers that speak of us, not of the person. */
const OUR_FAULT = ['missing-input-secret', 'invalid-input-secret', 'bad-request', 'internal-error'];

/**
 * The siteverify call of hCaptcha and Turnstile: a form with `secret` and `response`, answered with `success`. The
 * person's address is not passed on. Nothing waits longer than five seconds.
 */
export function createCaptcha(settings: CaptchaSettings, send: typeof fetch, log: Log): Captcha {
  let underWay = 0;
  const away = (error: unknown): Verdict => {
    log.error({ event: 'captcha_away', provider: settings.provider, error }, 'the CAPTCHA cannot be checked');
    return 'away';
  };
  return async (token) => {
    if (token === '' || token.length > LONGEST_TOKEN) return 'no_person';
    if (underWay >= MOST_UNDER_WAY) return away(new Error('too many questions are under way'));
    underWay++;
    try {
      const answer = await send(settings.url, {
        method: 'POST',
        body: new URLSearchParams({ secret: settings.secret, response: token }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      const body = (await answer.json()) as { success?: unknown; 'error-codes'?: unknown } | null;
      if (body?.success === true) return 'person';
      const codes = Array.isArray(body?.['error-codes']) ? body['error-codes'].map(String) : [];
      if (answer.status >= 500 || body?.success !== false || codes.some((code) => OUR_FAULT.includes(code))) {
        return away(new Error(`answered ${answer.status} ${codes.join(' ')}`.trim()));
      }
      return 'no_person';
    } catch (fault) {
      return away(fault);
    } finally {
      underWay--;
    }
  };
}
