import { offersTelegramLogin } from '../signin/telegram-login.ts';
import { html, type Html } from '../web/html.ts';
import { formOf } from './components.ts';
import { hasTelegramLink } from './telegram.ts';
import { pathTo, type Visit } from './visit.ts';

/** Where a form that begins there ends up, for the page's own policy; undefined where it is not offered. */
export function telegramLoginLeadsTo({ context, site }: Visit): string | undefined {
  return offersTelegramLogin(context.signIn, site.tenant) ? 'https://oauth.telegram.org' : undefined;
}

/** The one press that leads to Telegram's own page; the second way where the bot's link is the first. */
export function telegramLoginButton(visit: Visit, returnTo: string | undefined): Html | null {
  if (telegramLoginLeadsTo(visit) === undefined) return null;
  const { words } = visit;
  const text = hasTelegramLink(visit) ? words.telegram.login : words.telegram.begin;
  const button = html`<button class="button plain full" type="submit">${text}</button>`;
  return formOf(visit, pathTo(visit, '/telegram/login'), { return_to: returnTo }, button);
}
