import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import { isPlainHost } from '../kernel/plain-host.ts';
import { brandOf } from '../tenants/tenants.ts';
import { html, type Html, type HtmlChild, htmlText } from '../web/html.ts';
import type { ChallengePut } from '../kernel/errors.ts';
import { captchaHosts } from './captcha.ts';
import { brandStylePath, iconPath, scriptPath, stylePath } from './assets.ts';
import { encodingOf } from '../web/encoded.ts';
import { pathTo, type Visit } from './visit.ts';
import { pageLocales, wordsOf } from './words.ts';

const compress = { br: promisify(brotliCompress), gzip: promisify(gzip) };
/** Quick enough for each request; what is sent for ever is compressed harder. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

export interface Page {
  title: string;
  body: HtmlChild;
  status?: number;
  /** The pages of the account are wide and have tabs. */
  tabs?: 'account' | 'devices';
  /** Where a form of this page may end up, beside here: browsers hold redirects after a form to it (CSP form-action). */
  leadsTo?: string | readonly (string | undefined)[] | undefined;
  /** A CAPTCHA on the page. */
  captcha?: ChallengePut['captcha'] | undefined;
  /** Seconds after which the page asks again by itself. */
  refresh?: number;
}

/** Sends a whole page. */
export async function sendPage(visit: Visit, page: Page): Promise<FastifyReply> {
  const { reply, request } = visit;
  const text = htmlText(documentOf(visit, page));
  reply
    .code(page.status ?? 200)
    .headers(pageHeaders(visit, page))
    .type('text/html; charset=utf-8');
  const encoding = encodingOf(request.headers['accept-encoding']);
  if (encoding === 'identity') return reply.send(text);
  const body = encoding === 'br' ? await compress.br(text, BROTLI) : await compress.gzip(text);
  return reply.header('content-encoding', encoding).send(body);
}

/** What keeps a page from being framed, scripted or read by others (S46, ASVS 3.4). */
function pageHeaders(visit: Visit, page: Page): Record<string, string> {
  const { logoUrl } = brandOf(visit.site.tenant);
  const pictures = logoUrl === null ? '' : sourceOf(logoUrl);
  const captcha = captchaHosts(page.captcha);
  const outside = [page.leadsTo].flat().filter((address) => address !== undefined);
  const leadsTo = outside.map(sourceOf).join('');
  return {
    'content-security-policy': [
      "default-src 'none'",
      `style-src 'self'${captcha}`,
      `script-src 'self'${captcha}`,
      `connect-src 'self'${captcha}`,
      ...(page.captcha ? [`frame-src${captcha}`] : []),
      `img-src 'self'${pictures}`,
      `form-action 'self'${leadsTo}`,
      "base-uri 'none'",
      "object-src 'none'",
      "frame-ancestors 'none'",
      ...(page.captcha ? [] : ["require-trusted-types-for 'script'"]),
    ].join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy':
      'otp-credentials=(self), camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'x-frame-options': 'DENY',
    'content-language': visit.locale,
    vary: 'accept-language, accept-encoding, cookie',
  };
}

/** What CSP calls the place, after a space: the origin, or the scheme of an application's own link. */
function sourceOf(address: string): string {
  const { protocol, origin, hostname } = new URL(address);
  if (protocol !== 'https:' && protocol !== 'http:') return ` ${protocol}`;
  // Kept from before such hosts were refused: better no picture than another policy.
  return isPlainHost(hostname) ? ` ${origin}` : '';
}

function documentOf(visit: Visit, page: Page): Html {
  const { words, locale, site } = visit;
  const brand = brandOf(site.tenant);
  const colour = brand.primaryColour;
  // The language is written as browsers know it: `uz` alone would be read in Cyrillic by some.
  return html`<!doctype html>
<html lang="${locale === 'uz' ? 'uz-Latn' : locale}" dir="${words.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="format-detection" content="telephone=no">
<meta name="robots" content="noindex">
<title>${page.title} · ${brand.name}</title>
<link rel="icon" href="${iconPath}" type="image/svg+xml">
<link rel="stylesheet" href="${stylePath}">
${colour && html`<link rel="stylesheet" href="${brandStylePath(colour)}">`}
${page.refresh !== undefined && html`<noscript><meta http-equiv="refresh" content="${page.refresh}"></noscript>`}
<script src="${scriptPath}" defer></script>
</head>
<body${page.tabs && html` class="wide"`}>
<div class="frame">
<a class="skip" href="#main">${words.skip}</a>
${page.tabs ? accountHead(visit, page.tabs) : null}
<main id="main"${!page.tabs && html` class="sheet"`}>
${!page.tabs && brandHead(visit)}
${page.body}
</main>
</div>
${footOf(visit)}
</body>
</html>`;
}

function brandHead({ site }: Visit): Html {
  const { name, logoUrl } = brandOf(site.tenant);
  return logoUrl === null
    ? html`<div class="brand">${markOf(name)}<span>${name}</span></div>`
    : html`<div class="brand"><img src="${logoUrl}" alt="${name}" referrerpolicy="no-referrer"></div>`;
}

/** A seal with the first letter of the name. */
function markOf(name: string): Html {
  const letter = Array.from(name.trim())[0]?.toLocaleUpperCase() ?? '';
  return html`<svg class="mark" viewBox="3 3 34 34" aria-hidden="true" focusable="false"><g><rect x="6" y="6" width="28" height="28" rx="7"/><rect x="6" y="6" width="28" height="28" rx="7" transform="rotate(30 20 20)"/><rect x="6" y="6" width="28" height="28" rx="7" transform="rotate(60 20 20)"/></g><text x="20" y="26">${letter}</text></svg>`;
}

function accountHead(visit: Visit, current: 'account' | 'devices'): Html {
  const { words } = visit;
  const tab = (path: string, text: string, isCurrent: boolean): Html =>
    html`<a href="${pathTo(visit, path)}"${isCurrent && html` aria-current="page"`}>${text}</a>`;
  return html`<header class="top">${brandHead(visit)}<nav class="tabs" aria-label="${words.account.navigation}">${tab('/account', words.account.profile, current === 'account')}${tab('/account/devices', words.devices.title, current === 'devices')}${tab('/sign-out', words.signOut.action, false)}</nav></header>`;
}

function footOf(visit: Visit): Html {
  const { words, locale, site } = visit;
  const { supportAddress } = brandOf(site.tenant);
  const items = pageLocales.map((each) => {
    const href = pathTo(visit, visit.path, { ...keptQuery(visit), language: each });
    return html`<li><a href="${href}" lang="${each}" dir="${wordsOf(each).direction}" hreflang="${each}"${each === locale && html` aria-current="true"`}>${wordsOf(each).name}</a></li>`;
  });
  return html`<footer class="foot">
<details class="languages"><summary><span class="spoken">${words.language}: </span>${words.name}</summary><ul>${items}</ul></details>
${supportAddress !== null && html`<a href="mailto:${supportAddress}">${words.help}</a>`}
</footer>`;
}

/** What the address said besides, so that another language is the same page. */
function keptQuery(visit: Visit): Record<string, string> {
  const texts = Object.entries({ ...visit.query, ...flowOf(visit) }).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length < 500,
  );
  return Object.fromEntries(texts.filter(([name]) => name !== 'language'));
}

/** A form that was refused stands at an address without its query. */
function flowOf({ form }: Visit): Record<string, unknown> {
  const { flow, with: way, by, return_to: returnTo } = form;
  return { flow, with: way, by, return_to: returnTo };
}
