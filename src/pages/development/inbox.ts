import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DevelopmentInbox, InboxMessage } from '../../delivery/delivery.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import { html, type Html, htmlText } from '../../web/html.ts';
import { iconPath, publishScript, publishStyle, stylePath } from '../assets.ts';
import { chatView } from './chat-view.ts';
import { messageList } from './message-list.ts';
import { messageView } from './message-view.ts';

const inboxStyle = publishStyle('inbox');
const inboxScript = publishScript('inbox');

/** What the list is narrowed to, as the address says it. */
export interface InboxQuery {
  to?: string;
  channel?: string;
  message?: string;
  /** What somebody is about to write to a simulated bot, and whose bot it is. */
  write?: string;
  tenant?: string;
}

const SHOWN = 60;
/** Messages hold their channel sealed: one channel alone is looked for among so many. */
const LOOKED_THROUGH = 1000;

export interface InboxOptions {
  inbox: DevelopmentInbox;
  tenants: Tenants;
  /** Where the server is, as its example calls it. */
  origin: string;
}

/**
 * `/dev/inbox`: every message that would have gone out, as it would look. Registered in development mode only; it shows
 * codes to whoever can reach the server.
 */
export function inboxRoutes(server: FastifyInstance, options: InboxOptions): void {
  const { inbox } = options;
  const hide = { schema: { hide: true } };
  server.get('/dev/inbox', hide, (request, reply) => showInbox(options, request, reply));
  server.get<{ Params: { id: string } }>('/dev/inbox/:id/letter', hide, async (request, reply) => {
    const message = await inbox.find(request.params.id);
    if (message?.html === undefined || message.html === null) return reply.callNotFound();
    return reply
      .type('text/html; charset=utf-8')
      .headers({
        // As a mail program shows it: styles and pictures, no script, no form, no way out of the frame.
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'; sandbox allow-popups",
        'cross-origin-resource-policy': 'same-origin',
      })
      .send(message.html);
  });
}

async function showInbox(
  { inbox, tenants, origin }: InboxOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const query = narrowed(request.query as Record<string, unknown>);
  const all = await inbox.list(query.to, query.channel === undefined ? SHOWN : LOOKED_THROUGH);
  const messages =
    query.channel === undefined
      ? all
      : all.filter(({ channel }) => channel === query.channel).slice(0, SHOWN);
  const chosen = query.message === undefined ? messages[0] : await inbox.find(query.message);
  return reply
    .headers({
      'content-security-policy': [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
    })
    .type('text/html; charset=utf-8')
    .send(
      htmlText(
        page(origin, query, messages, chosen, chosen ? tenants.byId(chosen.tenantId)?.slug : query.tenant),
      ),
    );
}

/** Only what is text counts: a name given twice narrows nothing. */
function narrowed(query: Record<string, unknown>): InboxQuery {
  const text = (name: string): string | undefined => {
    const value = query[name];
    return typeof value === 'string' && value.trim() !== '' ? value.trimEnd().slice(0, 320) : undefined;
  };
  // Its first space is kept: it may have been a plus.
  const to = text('to');
  const channel = text('channel');
  const message = text('message');
  const write = text('write');
  const tenant = text('tenant');
  return {
    ...(to && { to }),
    ...(channel && { channel }),
    ...(message && { message }),
    ...(write && { write }),
    ...(tenant && { tenant }),
  };
}

function page(
  origin: string,
  query: InboxQuery,
  messages: InboxMessage[],
  chosen: InboxMessage | undefined,
  tenant = '',
): Html {
  const title = chosen?.subject ?? (chosen === undefined ? 'Inbox' : `${chosen.channel} to ${chosen.to}`);
  return html`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · development inbox</title>
<link rel="icon" href="${iconPath}">
<link rel="stylesheet" href="${stylePath}">
<link rel="stylesheet" href="${inboxStyle}">
<script src="${inboxScript}" defer></script>
</head>
<body class="inbox${query.message !== undefined && ' reading'}">
<a class="skip" href="#message">Skip to the message</a>
<header class="bar">
<h1><a href="/dev/inbox">Development inbox</a></h1>
<form class="find" action="/dev/inbox" role="search">
<label class="spoken" for="to">Recipient</label>
<input id="to" name="to" type="search" value="${query.to ?? ''}" placeholder="Phone, e-mail or chat id" autocomplete="off">
<button class="button plain small">Find</button>
</form>
<nav aria-label="Development pages"><a href="/">Home</a><a href="/sign-in">Sign-in page</a><a href="/docs">API reference</a></nav>
</header>
<main class="panes" data-newest="${messages[0]?.id ?? ''}">
<section class="list" aria-label="Messages">${messageList(query, messages, chosen)}</section>
<section class="view" id="message" aria-label="The message" tabindex="-1">${chosen ? messageView(chosen, tenant, query.write ?? '') : emptyView(origin, query, tenant)}</section>
</main>
<p class="spoken" role="status" id="news"></p>
</body>
</html>`;
}

function emptyView(origin: string, query: InboxQuery, tenant: string): Html {
  if (query.message !== undefined)
    return html`<div class="nothing"><h2>This message is gone</h2><p>The inbox keeps the newest ten thousand. <a href="/dev/inbox">Show what is here</a></p></div>`;
  if (query.write !== undefined && /^\d+$/.test(query.to ?? ''))
    return html`<header class="head"><div><p class="quiet">Telegram to</p><h2>${query.to}</h2></div></header>${chatView({ to: query.to ?? '', text: '' }, tenant, query.write)}`;
  if (query.to !== undefined || query.channel !== undefined)
    return html`<div class="nothing"><h2>Nothing for this</h2><p>Nothing was sent that fits. <a href="/dev/inbox">Show everything</a></p></div>`;
  return html`<div class="nothing"><h2>Nothing was sent yet</h2>
<p>In development nothing leaves this machine: each SMS, e-mail and Telegram message arrives here instead.</p>
<p><a class="button" href="/sign-in">Open the sign-in page</a></p>
<p>Or ask for a code on the command line:</p>
<pre tabindex="0"><code>curl -X POST ${origin}/api/v1/auth/send-verification \\
  -H 'content-type: application/json' \\
  -d '{"email":"ada@example.com"}'</code></pre></div>`;
}
