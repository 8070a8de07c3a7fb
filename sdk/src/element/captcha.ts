import type { Captcha } from '../transport.ts';

/** What both providers' scripts offer, by the same names. */
interface Provider {
  render(place: HTMLElement, options: Record<string, unknown>): unknown;
  remove(shown: unknown): void;
}

interface Known {
  script: string;
  /** The name that its script takes in `window`. */
  global: string;
  /** How it is told the language. */
  language: string;
}

const PROVIDERS: Readonly<Record<string, Known>> = {
  // https://docs.hcaptcha.com/configuration
  hcaptcha: { script: 'https://js.hcaptcha.com/1/api.js', global: 'hcaptcha', language: 'hl' },
  // https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/widget-configurations/
  turnstile: {
    script: 'https://challenges.cloudflare.com/turnstile/v0/api.js',
    global: 'turnstile',
    language: 'language',
  },
};

const READY = 'firstproofCaptchaReady';
const LONGEST_LOAD_MILLISECONDS = 20_000;
const loading = new Map<string, Promise<Provider>>();
const globals = globalThis as unknown as Record<string, unknown>;

/** How it is to look. */
export interface CaptchaLook {
  isDark: boolean;
  isNarrow: boolean;
  language: string;
}

/**
 * Shows a provider's CAPTCHA and gives its token. A script that the page has loaded already is the one that is used.
 * Throws a `CaptchaAway` where it does not come: blocked by a policy of the page, an extension, a country.
 */
export async function showCaptcha(
  { provider, site_key: sitekey }: Captcha,
  place: HTMLElement,
  { isDark, isNarrow, language }: CaptchaLook,
): Promise<string> {
  const known = PROVIDERS[provider];
  if (!known) throw away(`There is no CAPTCHA ${provider} here.`);
  const script = await load(known);
  let shown: unknown;
  const token = new Promise<string>((resolve, reject) => {
    shown = script.render(place, {
      sitekey,
      theme: isDark ? 'dark' : 'light',
      size: isNarrow ? 'compact' : 'normal',
      [known.language]: language,
      callback: resolve,
      // What has expired is shown anew by the provider itself; what fails is not.
      'error-callback': (code: unknown) => reject(away(`The CAPTCHA failed: ${String(code)}.`)),
    });
  });
  return token.finally(() => script.remove(shown));
}

function away(text: string): Error {
  const fault = new Error(text);
  fault.name = 'CaptchaAway';
  return fault;
}

function load({ script, global }: Known): Promise<Provider> {
  const there = globals[global] as Provider | undefined;
  if (there) return Promise.resolve(there);
  const known = loading.get(script);
  if (known) return known;
  const promise = new Promise<Provider>((resolve, reject) => {
    const element = document.createElement('script');
    const fail = (): void => {
      // The next press tries again.
      loading.delete(script);
      element.remove();
      reject(away('The script of the CAPTCHA did not load.'));
    };
    const timer = setTimeout(fail, LONGEST_LOAD_MILLISECONDS);
    globals[READY] = () => {
      clearTimeout(timer);
      resolve(globals[global] as Provider);
    };
    element.src = `${script}?render=explicit&onload=${READY}`;
    element.async = true;
    element.addEventListener('error', () => {
      clearTimeout(timer);
      fail();
    });
    document.head.append(element);
  });
  loading.set(script, promise);
  return promise;
}
