import { BadSetting, setting } from './setting.ts';

/** A CAPTCHA that is asked for together with the proof of work. */
export interface CaptchaSettings {
  provider: 'hcaptcha' | 'turnstile';
  siteKey: string;
  secret: string;
  /** Where a token is checked. */
  url: string;
  whenAway: 'refuse' | 'allow';
}

const URLS = {
  hcaptcha: 'https://api.hcaptcha.com/siteverify',
  turnstile: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
} as const;

export const challengeSettings = {
  freeSendsPerCallerPerHour: setting({
    name: 'FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR',
    section: 'limits',
    description:
      'Of the codes one caller may have sent in an hour, so many go out without a challenge; each one after that asks for a [proof of work](../guides/abuse.md#proof-of-work). As many as `FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR`, or more: none is ever asked for.',
    default: '20',
    parse: freeSends,
  }),
  captchaProvider: setting({
    name: 'FIRSTPROOF_CAPTCHA_PROVIDER',
    section: 'security',
    description:
      '`hcaptcha` or `turnstile`: asks for a CAPTCHA beside the proof of work. Unset: the proof of work alone.',
    parse: captchaProvider,
  }),
  captchaSiteKey: setting({
    name: 'FIRSTPROOF_CAPTCHA_SITE_KEY',
    section: 'security',
    description: 'The site key of the CAPTCHA, which browsers get to see.',
    parse: siteKey,
  }),
  captchaSecret: setting({
    name: 'FIRSTPROOF_CAPTCHA_SECRET',
    section: 'security',
    description: 'The secret of the CAPTCHA, by which its tokens are checked.',
    secret: true,
    parse: (text) => text,
  }),
  captchaUrl: setting({
    name: 'FIRSTPROOF_CAPTCHA_URL',
    section: 'security',
    description: "Where tokens are checked, if not at the provider's own siteverify address.",
    parse: httpAddress,
  }),
  captchaWhenAway: setting({
    name: 'FIRSTPROOF_CAPTCHA_WHEN_AWAY',
    section: 'security',
    description:
      'What happens while the provider cannot be asked: `refuse` (503), or `allow` (the proof of work is enough; wrong codes then do not close an address).',
    default: 'refuse',
    parse: whenAway,
  }),
};

interface Values {
  captchaProvider: 'hcaptcha' | 'turnstile' | undefined;
  captchaSiteKey: string | undefined;
  captchaSecret: string | undefined;
  captchaUrl: string | undefined;
  captchaWhenAway: 'refuse' | 'allow';
}

/** The CAPTCHA of the configuration, or what it still lacks. */
export function readCaptcha(values: Values): {
  captcha: CaptchaSettings | undefined;
  problems: { setting: string; message: string }[];
} {
  const { captchaProvider: provider, captchaSiteKey: siteKey, captchaSecret: secret } = values;
  if (provider === undefined) return { captcha: undefined, problems: [] };
  const missing = (name: string, what: string) => ({
    setting: name,
    message: `${name} is missing: FIRSTPROOF_CAPTCHA_PROVIDER needs the ${what} that ${provider} gives you.`,
  });
  const problems = [
    ...(siteKey === undefined ? [missing('FIRSTPROOF_CAPTCHA_SITE_KEY', 'site key')] : []),
    ...(secret === undefined ? [missing('FIRSTPROOF_CAPTCHA_SECRET', 'secret')] : []),
  ];
  if (siteKey === undefined || secret === undefined) return { captcha: undefined, problems };
  const url = values.captchaUrl ?? URLS[provider];
  return { captcha: { provider, siteKey, secret, url, whenAway: values.captchaWhenAway }, problems };
}

function freeSends(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 1_000_000) {
    throw new BadSetting('must be a whole number from 0 to 1000000');
  }
  return value;
}

function captchaProvider(text: string): 'hcaptcha' | 'turnstile' {
  if (text !== 'hcaptcha' && text !== 'turnstile') throw new BadSetting('must be one of hcaptcha, turnstile');
  return text;
}

function whenAway(text: string): 'refuse' | 'allow' {
  if (text !== 'refuse' && text !== 'allow') throw new BadSetting('must be one of refuse, allow');
  return text;
}

function siteKey(text: string): string {
  if (!/^[\w-]{1,200}$/.test(text)) throw new BadSetting('may hold letters, digits, - and _');
  return text;
}

function httpAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new BadSetting('must be an http or https address');
  }
  return url.href;
}
