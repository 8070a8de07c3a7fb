import { Type } from 'typebox';
import { findDisputable, sayNotMe } from '../signin/not-me.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';

const params = Type.Object({ token: Type.String({ maxLength: 100 }) });
const html = 'text/html; charset=utf-8';

/** GET and POST /not-me/{token}: where the link of a notice leads. GET only asks: scanners of mail open every link. */
export function notMeRoutes(server: ApiServer, context: ApiContext): void {
  server.get('/not-me/:token', { schema: { hide: true, params } }, async (request, reply) => {
    const found = await findDisputable(context.signIn, request.params.token);
    if (!found) return reply.code(404).type(html).send(OVER);
    return reply.type(html).send(
      page(
        'Was this not you?',
        `<p>Press the button if somebody else did this in your account at ${escapeHtml(found.tenant.name)}.
What was changed is undone, and the sessions it came from are signed out at once.</p>
<form method="post"><button type="submit">This was not me</button></form>
<p>If it was you, close this page: nothing has happened.</p>`,
      ),
    );
  });

  server.post(
    '/not-me/:token',
    {
      config: { optionalBody: true },
      schema: { hide: true, consumes: ['application/x-www-form-urlencoded'], params },
    },
    async (request, reply) => {
      const { caller } = cluesOf(context, request);
      const outcome = await sayNotMe(context.signIn, request.params.token, caller);
      if (!outcome) return reply.code(404).type(html).send(OVER);
      const sentences = [
        outcome.ended === 0 ? 'No session was left to sign out.' : `Signed out: ${outcome.ended}.`,
        outcome.restored === 'given_back' ? 'Your address was given back to your account.' : '',
        outcome.restored === 'taken'
          ? 'Your address has been taken by another account since: write to the service.'
          : '',
        outcome.passwordDropped ? 'The password was removed: sign in with a code and choose a new one.' : '',
        'Sign in again now and look at your addresses and devices.',
      ];
      const text = sentences.filter((sentence) => sentence !== '').map((sentence) => `<p>${sentence}</p>`);
      return reply.type(html).send(page('Thank you. It is undone.', text.join('\n')));
    },
  );
}

const OVER = page(
  'This link is over',
  '<p>It works once, and for 72 hours. If something is wrong with your account, sign in with a code and look at your addresses and devices.</p>',
);

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
