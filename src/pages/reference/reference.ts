import type { FastifyInstance } from 'fastify';
import { errorCatalogue } from '../../kernel/errors.ts';
import { html, type Html, htmlText } from '../../web/html.ts';
import { iconPath, publishScript, publishStyle, stylePath } from '../assets.ts';
import { withBreaks } from '../components.ts';
import { type EncodedText, encodedText, sendEncoded } from '../../web/encoded.ts';
import { type OpenApi, operationsByTag } from './openapi.ts';
import { operationView, type ViewOptions } from './operation-view.ts';

const referenceStyle = publishStyle('reference');
const referenceScript = publishScript('reference');

/** `/docs`: the API as the server itself declares it. @param document the served OpenAPI, once every route is there */
export function referenceRoutes(
  server: FastifyInstance,
  document: () => OpenApi,
  options: ViewOptions,
): void {
  let text: EncodedText | undefined;
  server.get('/docs', { schema: { hide: true } }, (request, reply) => {
    text ??= encodedText(htmlText(page(document(), options)), 6);
    reply
      .header(
        'content-security-policy',
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      .type('text/html; charset=utf-8');
    return sendEncoded(reply, text, request.headers['accept-encoding']);
  });
}

function page(document: OpenApi, options: ViewOptions): Html {
  const groups = [...operationsByTag(document)];
  return html`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API reference · ${document.info.title}</title>
<link rel="icon" href="${iconPath}">
<link rel="stylesheet" href="${stylePath}">
<link rel="stylesheet" href="${referenceStyle}">
<script src="${referenceScript}" defer></script>
</head>
<body class="reference">
<a class="skip" href="#main">Skip to the reference</a>
<nav class="contents" aria-label="Contents">
<p class="name"><a href="/docs">${document.info.title}</a> <span class="type">${document.info.version}</span></p>
<label class="spoken" for="filter">Find a call</label><input id="filter" type="search" placeholder="Find a call" autocomplete="off" hidden>
${groups.map(
  ([tag, operations]) =>
    html`<details open><summary>${titled(tag)}</summary><ul>${operations.map(
      ({ id, method, path }) =>
        html`<li><a href="#${id}"><span class="method ${method.toLowerCase()}">${method}</span><span>${withBreaks(shortPath(path), PARTS)}</span></a></li>`,
    )}</ul></details>`,
)}
<p class="type" role="status" id="none" hidden>No call fits.</p>
<p><a href="#errors">Errors</a></p>
</nav>
<main id="main">
<header class="intro"><h1>API reference</h1>
<p>${document.info.description}</p>
<p class="more">JSON at <code>${options.origin}</code>. The same as <a href="/openapi.json">an OpenAPI document</a>.${options.canRun && html` This server runs in development mode: calls can be run from this page, and their messages arrive in the <a href="/dev/inbox">inbox</a>.`}</p></header>
${groups.map(
  ([tag, operations]) =>
    html`<section aria-label="${titled(tag)}"><h2>${titled(tag)}</h2>${operations.map((operation) => operationView(document, operation, options))}</section>`,
)}
<section id="errors"><h2>Errors</h2>
<p>Every refusal has one shape: <code>success</code> false, <code>statusCode</code>, <code>error</code>, <code>message</code>, and what a screen needs to go on.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">error</th><th scope="col">status</th><th scope="col">message</th></tr></thead><tbody>${Object.entries(
    errorCatalogue,
  ).map(
    ([code, { status, message }]) =>
      html`<tr><th scope="row"><code>${code}</code></th><td>${status}</td><td>${message}</td></tr>`,
  )}</tbody></table></div></section>
</main>
</body>
</html>`;
}

function titled(tag: string): string {
  return tag.charAt(0).toUpperCase() + tag.slice(1);
}

/** Behind a slash or a low line. */
const PARTS = /(?<=[/_])/;

/** Without what every path begins with. */
function shortPath(path: string): string {
  return path.replace(/^\/api\/(?:v1\/)?/, '');
}
