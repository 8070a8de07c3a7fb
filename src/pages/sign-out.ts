import type { FastifyReply } from 'fastify';
import { logout } from '../signin/logout.ts';
import { readProfile } from '../signin/profile.ts';
import { html } from '../web/html.ts';
import { formOf, leadOf } from './components.ts';
import { textOf } from './context.ts';
import { sendPage } from './layout.ts';
import { personName } from './person.ts';
import { askProof } from './prove.ts';
import { tell } from './tell.ts';
import { accessOf, goTo, leave, pathTo, type Visit } from './visit.ts';
import { fillHtml } from './words.ts';

/** GET /sign-out: asks first, since any page may lead here. */
export async function showSignOut(visit: Visit): Promise<FastifyReply> {
  const { words, context } = visit;
  const access = await accessOf(visit);
  const profile = access && (await readProfile(context.signIn, access));
  if (!profile?.ok) {
    return tell(visit, 200, words.signOut.done, { path: '/sign-in', text: words.signOut.again });
  }
  const who = html`<bdi class="strong whole">${personName(profile.user)}</bdi>`;
  const body = html`<div class="stack">${leadOf(words.signOut.title, fillHtml(words.signOut.text, { who }))}${formOf(
    visit,
    pathTo(visit, '/sign-out'),
    {},
    html`<button class="button full" name="scope" value="this">${words.signOut.action}</button><button class="button plain full" name="scope" value="all">${words.signOut.everywhere}</button>`,
    'stack-close',
  )}<div class="choices"><a href="${pathTo(visit, '/account')}">${words.signOut.stay}</a></div></div>`;
  return sendPage(visit, { title: words.signOut.title, body });
}

/** POST /sign-out */
export async function takeSignOut(visit: Visit): Promise<FastifyReply> {
  const access = await accessOf(visit);
  const scope = textOf(visit.form, 'scope') === 'all' ? 'all' : 'this';
  const ended = access && (await logout(visit.context.signIn, access, scope, visit.clues.caller));
  if (ended && !ended.ok) return askProof(visit, access, ended, { action: 'sign_out', form: { scope } });
  leave(visit);
  return goTo(visit, pathTo(visit, '/sign-out'));
}
