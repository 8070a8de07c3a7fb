import type { FastifyReply } from 'fastify';
import type { Access } from '../sessions/sessions.ts';
import { readProfile, updateProfile } from '../signin/profile.ts';
import type { PublicUser } from '../users/users.ts';
import { html, type Html } from '../web/html.ts';
import { addressList } from './addresses.ts';
import { formOf, noticeBox, problemBox } from './components.ts';
import { type Fields, trimmedOf } from './context.ts';
import { customFieldsForm, customFieldValues, readCustomFields } from './custom-fields.ts';
import { sendPage } from './layout.ts';
import { type Problem, problemOf } from './problems.ts';
import { nameFields } from './sign-up.ts';
import { hasUsername, usernameForm } from './username.ts';
import { accessOf, goTo, leave, leaveNotice, type Notice, pathTo, takeNotice, type Visit } from './visit.ts';
import type { Words } from './words.ts';

/** Runs a page of the account for whoever is signed in; everybody else signs in first and comes back. */
export async function forAccess(
  visit: Visit,
  page: (visit: Visit, access: Access) => FastifyReply | Promise<FastifyReply>,
): Promise<FastifyReply> {
  const access = await accessOf(visit);
  const returnTo = visit.path === '/account/devices' ? visit.path : '/account';
  if (!access) return goTo(visit, pathTo(visit, '/sign-in', { return_to: returnTo }));
  // On shared pages the session's own tenant has the word: its fields, its name, its colours.
  const site = { ...visit.site, tenant: access.tenant };
  return page(visit.site.tenant.id === access.tenant.id ? visit : { ...visit, site }, access);
}

/** GET /account. @param problem of the profile's form, unless `of` says of which */
export async function showAccount(
  visit: Visit,
  access: Access,
  problem?: Problem,
  of: 'profile' | 'username' = 'profile',
): Promise<FastifyReply> {
  const profile = await readProfile(visit.context.signIn, access);
  if (!profile.ok) {
    leave(visit);
    return goTo(visit, pathTo(visit, '/sign-in'));
  }
  const { user } = profile;
  const { words, site } = visit;
  const notice = takeNotice(visit);
  const told = notice && toldOf(words)[notice];
  const ofProfile = of === 'profile' ? problem : undefined;
  const ofUsername = of === 'username' ? problem : undefined;
  const box = notice === 'last' ? html`<div class="notice bad" role="alert"><p>${told}</p></div>` : null;
  const body = html`<div class="sections"><h1>${words.account.title}</h1>${box ?? (told !== undefined && noticeBox(told))}
<section class="sheet stack" aria-labelledby="profile"><h2 id="profile">${words.account.profile}</h2>${problemBox(ofProfile)}${profileForm(visit, user, ofProfile)}</section>
<section class="sheet stack" aria-labelledby="addresses"><h2 id="addresses">${words.account.addresses}</h2>${addressList(visit, user)}</section>
${hasUsername(visit) && html`<section class="sheet stack" aria-labelledby="username"><h2 id="username">${words.account.username}</h2>${problemBox(ofUsername)}${usernameForm(visit, user, ofUsername)}</section>`}
${site.tenant.policy.passwords.enabled && passwordSection(visit)}
</div>`;
  return sendPage(visit, {
    title: words.account.title,
    body,
    tabs: 'account',
    ...(problem ? { status: problem.status } : {}),
  });
}

function toldOf({ account, reset, saved, problems }: Words): Partial<Record<Notice, string>> {
  const { welcome, added, changed, removed } = account;
  return { welcome, saved, added, changed, removed, password: reset.done, last: problems.lastIdentity };
}

function profileForm(visit: Visit, user: PublicUser, problem: Problem | undefined): Html {
  const { customFields } = visit.site.tenant.policy;
  const kept: Fields = {
    first_name: user.first_name ?? '',
    last_name: user.last_name ?? '',
    ...customFieldValues(user.custom_fields),
  };
  const fields = problem ? visit.form : kept;
  return formOf(
    visit,
    pathTo(visit, '/account'),
    {},
    html`${nameFields(visit, fields, problem)}${customFieldsForm(visit, customFields, fields, problem)}<div class="row"><button class="button" type="submit">${visit.words.save}</button></div>`,
  );
}

function passwordSection(visit: Visit): Html {
  const { words } = visit;
  return html`<section class="sheet stack" aria-labelledby="password"><h2 id="password">${words.account.passwordTitle}</h2><p class="soft">${words.account.passwordText}</p><div class="row"><a class="button plain" href="${pathTo(visit, '/account/password')}">${words.account.passwordAction}</a></div></section>`;
}

/** POST /account */
export async function takeAccount(visit: Visit, access: Access): Promise<FastifyReply> {
  const { form, context, clues } = visit;
  const custom = readCustomFields(access.tenant.policy.customFields, form);
  const outcome = await updateProfile(
    context.signIn,
    access,
    {
      first_name: trimmedOf(form, 'first_name') ?? null,
      last_name: trimmedOf(form, 'last_name') ?? null,
      ...(custom === undefined ? {} : { custom_fields: custom }),
    },
    clues,
  );
  if (!outcome.ok) return showAccount(visit, access, problemOf(visit, outcome));
  leaveNotice(visit, 'saved');
  return goTo(visit, pathTo(visit, '/account'));
}
