import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../sessions/sessions.ts';
import { isOwnRequest } from '../web/csrf.ts';
import { showAccount, takeAccount, forAccess } from './account.ts';
import { showAdd, takeAdd, takeRemove } from './addresses.ts';
import { assetRoutes } from './assets.ts';
import type { PagesContext } from './context.ts';
import { inboxRoutes } from './development/inbox.ts';
import { showDevices, takeDevices } from './devices.ts';
import { answerByPage, siteFor } from './fallback.ts';
import { showForgot, takeForgot } from './forgot.ts';
import { showHome } from './home.ts';
import type { OpenApi } from './reference/openapi.ts';
import { referenceRoutes } from './reference/reference.ts';
import { showPassword, takePassword } from './password.ts';
import { noticeProblem, type Problem } from './problems.ts';
import { showProve } from './prove.ts';
import { takeProve } from './proved.ts';
import { showReset, takeReset } from './reset.ts';
import { showSecondProof, takeSecondProof } from './second-proof.ts';
import { showSignIn, takeSignIn } from './sign-in.ts';
import { showSignOut, takeSignOut } from './sign-out.ts';
import { showSignUp, takeSignUp } from './sign-up.ts';
import { takeUsername } from './take-username.ts';
import { showTelegram, takeTelegram, takeTelegramDone, telegramState } from './telegram.ts';
import { takeTelegramLogin, telegramLoginBack } from './telegram-login.ts';
import { tell } from './tell.ts';
import { createTravelStreams, sendTravel } from './travel.ts';
import { showVerify, takeCode, takeResend } from './verify.ts';
import { beginVisit, goTo, hasFormToken, keepLanguage, pathTo, type Visit } from './visit.ts';
import { pageLocales } from './words.ts';

export type { PagesContext };
export { answerByPage };

/** Room for ten thousand characters of any script in every field. */
const FORM_BYTES = 512 * 1024;

const PAGE = { config: { isPage: true }, schema: { hide: true } };

type Show = (visit: Visit, problem?: Problem) => Promise<FastifyReply>;
type Take = (visit: Visit) => Promise<FastifyReply>;

/**
 * The pages people meet, for the tenant of the host and, below `/t/<slug>`, for every other. They need no script, and
 * call the same use cases as the API.
 */
export function registerPages(fastify: FastifyInstance, context: PagesContext): void {
  fastify.register((server, _options, done) => {
    assetRoutes(server);
    const { inbox, isDevelopment, publicUrl, signIn } = context;
    if (inbox) inboxRoutes(server, { inbox, tenants: signIn.tenants, origin: publicUrl });
    referenceRoutes(server, () => fastify.swagger() as unknown as OpenApi, {
      origin: publicUrl,
      canRun: isDevelopment,
    });
    server.get(
      '/',
      PAGE,
      handler(context, '/', (visit) => showHome(visit)),
    );
    formPage(server, context, '/sign-in', showSignIn, takeSignIn);
    formPage(server, context, '/sign-up', showSignUp, takeSignUp);
    formPage(server, context, '/forgot', showForgot, takeForgot);
    formPage(server, context, '/reset', showReset, takeReset);
    formPage(server, context, '/verify', showVerify, takeCode);
    formPage(server, context, '/sign-out', showSignOut, takeSignOut);
    formOn(server, context, '/verify/resend', '/verify', showVerify, takeResend);
    formPage(server, context, '/telegram', showTelegram, takeTelegram);
    formOn(server, context, '/telegram/done', '/telegram', showTelegram, takeTelegramDone);
    get(server, context, '/telegram/state', telegramState);
    get(server, context, '/telegram/back', telegramLoginBack);
    formOn(server, context, '/telegram/login', '/sign-in', showSignIn, takeTelegramLogin);
    formPage(server, context, '/second-proof', showSecondProof, takeSecondProof);
    const streams = createTravelStreams(server);
    get(server, context, '/verify/events', (visit) => sendTravel(visit, streams));
    accountPages(server, context);
    // Below a tenant nothing else lives: whatever is not there is told by a page.
    server.get(
      '/t/:tenant',
      PAGE,
      handler(context, '/', (visit) => goTo(visit, pathTo(visit, '/sign-in'))),
    );
    server.get(
      '/t/:tenant/*',
      PAGE,
      handler(context, '/sign-in', (visit) => tell(visit, 404, visit.words.notFound)),
    );
    done();
  });
}

/** The pages of whoever is signed in. */
function accountPages(server: FastifyInstance, context: PagesContext): void {
  type Page = (visit: Visit, access: Access, problem?: Problem) => FastifyReply | Promise<FastifyReply>;
  const shown =
    (page: Page): Show =>
    (visit, problem) =>
      forAccess(visit, (own, access) => page(own, access, problem));
  const taken =
    (page: Page): Take =>
    (visit) =>
      forAccess(visit, page);
  const account = shown(showAccount);
  formPage(server, context, '/account', account, taken(takeAccount));
  formPage(server, context, '/account/devices', shown(showDevices), taken(takeDevices));
  formPage(server, context, '/account/add', shown(showAdd), taken(takeAdd));
  formPage(server, context, '/account/password', shown(showPassword), taken(takePassword));
  formPage(server, context, '/prove', shown(showProve), taken(takeProve));
  formOn(server, context, '/account/remove', '/account', account, taken(takeRemove));
  formOn(server, context, '/account/username', '/account', account, taken(takeUsername));
}

function formPage(
  server: FastifyInstance,
  context: PagesContext,
  path: string,
  show: Show,
  take: Take,
): void {
  get(server, context, path, (visit) => show(visit));
  post(server, context, path, show, take);
}

/** One more form of a page. Refused it stands at its own address, which leads back: by a reload, by another language. */
function formOn(
  server: FastifyInstance,
  context: PagesContext,
  path: string,
  page: string,
  show: Show,
  take: Take,
): void {
  get(server, context, path, async (visit) => goTo(visit, pathTo(visit, page, textsOf(visit.query))));
  post(server, context, path, show, take);
}

function textsOf(query: Visit['query']): Record<string, string> {
  const texts = Object.entries(query).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

function get(server: FastifyInstance, context: PagesContext, path: string, answer: Take): void {
  for (const base of ['', '/t/:tenant']) {
    server.get(base + path, PAGE, handler(context, path, answer));
  }
}

function post(server: FastifyInstance, context: PagesContext, path: string, show: Show, take: Take): void {
  const options = {
    bodyLimit: FORM_BYTES,
    ...PAGE,
    schema: { hide: true, consumes: ['application/x-www-form-urlencoded'] },
  };
  for (const base of ['', '/t/:tenant']) {
    server.post(
      base + path,
      options,
      handler(context, path, (visit) => guarded(visit, show, take)),
    );
  }
}

/**
 * Takes a form only from our own page, shown to this very browser: also where nobody is signed in, so that nobody is
 * signed in as somebody else without noticing (S38). What was typed is shown again.
 */
async function guarded(visit: Visit, show: Show, take: Take): Promise<FastifyReply> {
  const { context, site, request, words } = visit;
  const hosts = site.tenant.hosts.map((host) => `https://${host}`);
  if (!isOwnRequest(request.headers, [new URL(context.publicUrl).origin, ...hosts])) {
    return tell(visit, 403, { title: words.unreadable.title, text: words.problems.foreignForm });
  }
  if (hasFormToken(visit)) return take(visit);
  return show(visit, noticeProblem(visit, visit.hasCookie ? 'formExpired' : 'noCookies', 403));
}

function handler(
  context: PagesContext,
  path: string,
  answer: (visit: Visit) => FastifyReply | Promise<FastifyReply>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const found = siteFor(context, request);
    const visit = beginVisit({ context, site: found.site, request, reply, path });
    if (!found.isKnown)
      return tell(visit, 404, visit.words.noTenant, { path: '/', text: visit.words.startAgain });
    const { language, ...rest } = visit.query;
    if (request.method === 'GET' && typeof language === 'string' && pageLocales.includes(language)) {
      keepLanguage(visit, language);
      return goTo(visit, pathTo(visit, path, textsOf(rest)));
    }
    return answer(visit);
  };
}
