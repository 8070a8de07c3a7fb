import type { ChallengePut } from '../kernel/errors.ts';
import { html, type Html } from '../web/html.ts';
import { type Fields, textOf } from './context.ts';

type Captcha = NonNullable<ChallengePut['captcha']>;

/** What each provider's script looks for, the field in which it leaves its token, and where it all comes from. */
const PROVIDERS = {
  hcaptcha: {
    className: 'h-captcha',
    field: 'h-captcha-response',
    script: 'https://js.hcaptcha.com/1/api.js',
    // https://docs.hcaptcha.com/#content-security-policy-settings
    hosts: 'https://hcaptcha.com https://*.hcaptcha.com',
  },
  turnstile: {
    className: 'cf-turnstile',
    field: 'cf-turnstile-response',
    script: 'https://challenges.cloudflare.com/turnstile/v0/api.js',
    // https://developers.cloudflare.com/turnstile/reference/content-security-policy/
    hosts: 'https://challenges.cloudflare.com',
  },
} as const;

/** The place in a form where the provider's script shows its CAPTCHA. */
export function captchaBox({ provider, site_key: siteKey }: Captcha): Html {
  const { className, script } = PROVIDERS[provider];
  return html`<div class="${className}" data-sitekey="${siteKey}"></div><script src="${script}" async defer></script>`;
}

/** The token that a form brings, whichever provider's. */
export function readCaptcha(form: Fields): string | undefined {
  const tokens = Object.values(PROVIDERS).map(({ field }) => textOf(form, field));
  return tokens.find((token) => token !== '');
}

/**
 * What a page with a CAPTCHA allows in its content security policy beside itself: that provider's hosts. Its script
 * builds elements from text, so trusted types are not asked of it; pages without a CAPTCHA keep them.
 */
export function captchaHosts(captcha: Captcha | undefined): string {
  return captcha ? ` ${PROVIDERS[captcha.provider].hosts}` : '';
}
