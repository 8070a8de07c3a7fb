import type { FastifyReply } from 'fastify';
import { completeTelegramLogin, startTelegramLogin } from '../signin/telegram-login.ts';
import { textOf } from './context.ts';
import { finishSignIn } from './finish.ts';
import { problemOf } from './problems.ts';
import { readReturnAddress } from './return-address.ts';
import { sealedCookies } from './sealed-cookies.ts';
import { showSignIn } from './sign-in.ts';
import { tell, tellBadReturn } from './tell.ts';
import { pathTo, type Visit } from './visit.ts';

/** A sign-in at Telegram itself that waits for this browser to come back. */
interface LoginFlow {
  loginId: string;
  state: string;
  returnTo?: string;
}

const logins = sealedCookies<LoginFlow>({ name: 'telegram-login', most: 2, lifeSeconds: 600 });

/** POST /telegram/login: sends the browser to Telegram. */
export async function takeTelegramLogin(visit: Visit): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const { context, clues, reply } = visit;
  const redirectUri = `${originOf(visit)}${pathTo(visit, '/telegram/back')}`;
  const outcome = await startTelegramLogin(context.signIn, { redirectUri, isOwnPage: true }, clues);
  if (!outcome.ok) return showSignIn(visit, problemOf(visit, outcome));
  const { loginId, authorizationUrl } = outcome;
  const state = new URL(authorizationUrl).searchParams.get('state') ?? '';
  logins.keep(visit, { loginId, state, ...(back.returnTo === undefined ? {} : { returnTo: back.returnTo }) });
  return reply.redirect(authorizationUrl, 303);
}

/**
 * GET /telegram/back: Telegram has led the browser back. What it brought counts in the browser that began, and only
 * there: without its cookie it is nothing (S38).
 */
export async function telegramLoginBack(visit: Visit): Promise<FastifyReply> {
  const { context, clues, words, query } = visit;
  const state = textOf(query, 'state');
  const found = logins.all(visit).find(({ flow }) => flow.state === state);
  if (!found) return tell(visit, 410, words.telegram.expired);
  logins.drop(visit, found.id);
  const { loginId, returnTo } = found.flow;
  const code = textOf(query, 'code');
  if (code === '') return tell(visit, 403, words.telegram.denied);
  const iss = textOf(query, 'iss');
  const outcome = await completeTelegramLogin(
    context.signIn,
    { loginId, state, code, ...(iss === '' ? {} : { iss }), device: { kind: 'browser' }, style: 'opaque' },
    clues,
  );
  if (!outcome.ok) {
    return outcome.error === 'TELEGRAM_DATA_INVALID'
      ? tell(visit, 401, words.telegram.used)
      : showSignIn(visit, problemOf(visit, outcome));
  }
  return 'linked' in outcome ? tell(visit, 410, words.telegram.used) : finishSignIn(visit, outcome, returnTo);
}

/** The addresses of the deployment and of the tenant, and nothing that a request says (S16). */
function originOf({ context, site, request }: Visit): string {
  const own = site.base === '' ? site.tenant.hosts.find((host) => host === request.hostname) : undefined;
  return own === undefined ? context.publicUrl : `https://${own}`;
}
