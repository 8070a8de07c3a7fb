import type { FastifyReply } from 'fastify';
import { formatPhone } from '../kernel/phone-countries.ts';
import type { Access } from '../sessions/sessions.ts';
import { forgotPassword } from '../signin/forgot-password.ts';
import { readProfile, updateProfile } from '../signin/profile.ts';
import type { PublicUser } from '../users/users.ts';
import { html, type Html } from '../web/html.ts';
import { beginFlow, findBegun, toVerify } from './begin-flow.ts';
import { formOf, noticeBox, problemBox } from './components.ts';
import { type Fields, trimmedOf } from './context.ts';
import { customFieldsForm, customFieldValues, readCustomFields } from './custom-fields.ts';
import { sendPage } from './layout.ts';
import { type Problem, problemOf } from './problems.ts';
import { profileFields } from './sign-up.ts';
import { accessOf, goTo, leave, leaveNotice, pathTo, takeNotice, type Visit } from './visit.ts';

/** Runs a page of the account for whoever is signed in; everybody else signs in first and comes back. */
export async function forAccess(
  visit: Visit,
  page: (visit: Visit, access: Access) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const access = await accessOf(visit);
  const returnTo = visit.path === '/account/devices' ? visit.path : '/account';
  if (!access) return goTo(visit, pathTo(visit, '/sign-in', { return_to: returnTo }));
  // On shared pages the session's own tenant has the word: its fields, its name, its colours.
  const site = { ...visit.site, tenant: access.tenant };
  return page(visit.site.tenant.id === access.tenant.id ? visit : { ...visit, site }, access);
}

/** GET /account */
export async function showAccount(visit: Visit, access: Access, problem?: Problem): Promise<FastifyReply> {
  const profile = await readProfile(visit.context.signIn, access);
  if (!profile.ok) {
    leave(visit);
    return goTo(visit, pathTo(visit, '/sign-in'));
  }
  const { user } = profile;
  const { words, site } = visit;
  const notice = takeNotice(visit);
  const told =
    notice === 'welcome'
      ? words.account.welcome
      : notice === 'password'
        ? words.reset.done
        : notice === 'saved'
          ? words.saved
          : undefined;
  const body = html`<div class="sections"><h1>${words.account.title}</h1>${told !== undefined && noticeBox(told)}
<section class="sheet stack" aria-labelledby="profile"><h2 id="profile">${words.account.profile}</h2>${problemBox(problem)}${profileForm(visit, user, problem)}</section>
<section class="sheet stack" aria-labelledby="addresses"><h2 id="addresses">${words.account.addresses}</h2>${addressList(visit, user)}</section>
${site.tenant.policy.passwords.enabled && passwordSection(visit, user)}
</div>`;
  return sendPage(visit, {
    title: words.account.title,
    body,
    tabs: 'account',
    ...(problem ? { status: problem.status } : {}),
  });
}

function profileForm(visit: Visit, user: PublicUser, problem: Problem | undefined): Html {
  const { customFields } = visit.site.tenant.policy;
  const kept: Fields = {
    first_name: user.first_name ?? '',
    last_name: user.last_name ?? '',
    username: user.username ?? '',
    ...customFieldValues(user.custom_fields),
  };
  const fields = problem ? visit.form : kept;
  return formOf(
    visit,
    pathTo(visit, '/account'),
    {},
    html`${profileFields(visit, fields, problem)}${customFieldsForm(visit, customFields, fields, problem)}<div class="row"><button class="button" type="submit">${visit.words.save}</button></div>`,
  );
}

function addressList(visit: Visit, user: PublicUser): Html {
  const { words } = visit;
  const entries = user.identities.map(({ kind, value, is_verified: isVerified }) => {
    const shown = kind === 'phone' ? formatPhone(value) : value;
    const name =
      kind === 'phone' ? words.ways.phone : kind === 'email' ? words.ways.email : words.ways.telegram;
    const badge = isVerified
      ? html`<span class="badge">${words.account.verified}</span>`
      : html`<span class="small soft">${words.account.notVerified}</span>`;
    return html`<li><div class="entry"><span class="small soft">${name}</span><bdi class="strong" dir="ltr">${shown}</bdi></div>${badge}</li>`;
  });
  return html`<ul class="entries">${entries}</ul>`;
}

function passwordSection(visit: Visit, user: PublicUser): Html | null {
  const { words } = visit;
  if (recoveryAddress(visit, user) === undefined) return null;
  const button = html`<button class="button plain" type="submit">${words.account.passwordAction}</button>`;
  return html`<section class="sheet stack" aria-labelledby="password"><h2 id="password">${words.account.passwordTitle}</h2><p class="soft">${words.account.passwordText}</p>${formOf(visit, pathTo(visit, '/account/password'), {}, button, 'row')}</section>`;
}

/** Where the code for a new password goes: e-mail costs nothing, so it is first. */
function recoveryAddress(visit: Visit, user: PublicUser): { email: string } | { phone: string } | undefined {
  const { identifiers } = visit.site.tenant.policy;
  if (user.email !== null && identifiers.includes('email')) return { email: user.email };
  return user.phone !== null && identifiers.includes('phone') ? { phone: user.phone } : undefined;
}

/** POST /account */
export async function takeAccount(visit: Visit, access: Access): Promise<FastifyReply> {
  const { form, context, clues } = visit;
  const { customFields, requiredFields } = access.tenant.policy;
  const profile = await readProfile(context.signIn, access);
  if (!profile.ok) return goTo(visit, pathTo(visit, '/sign-in'));
  const custom = readCustomFields(customFields, form);
  const outcome = await updateProfile(
    context.signIn,
    access,
    {
      first_name: trimmedOf(form, 'first_name') ?? null,
      last_name: trimmedOf(form, 'last_name') ?? null,
      ...(requiredFields.includes('username') ? { username: trimmedOf(form, 'username') ?? null } : {}),
      ...(custom === undefined ? {} : { custom_fields: custom }),
    },
    clues,
  );
  if (!outcome.ok) return showAccount(visit, access, problemOf(visit, outcome));
  leaveNotice(visit, 'saved');
  return goTo(visit, pathTo(visit, '/account'));
}

/** POST /account/password: a code first, whoever sits at this browser. */
export async function takePasswordChange(visit: Visit, access: Access): Promise<FastifyReply> {
  const { context, clues, locale } = visit;
  const profile = await readProfile(context.signIn, access);
  if (!profile.ok) return goTo(visit, pathTo(visit, '/sign-in'));
  const address = recoveryAddress(visit, profile.user);
  if (!address) return goTo(visit, pathTo(visit, '/account'));
  const begun = { purpose: 'recover' as const, address, returnTo: undefined };
  const named = { ...clues, tenantHeader: access.tenant.slug };
  const outcome = await forgotPassword(context.signIn, { ...address, locale, isKnown: true }, named);
  if (outcome.ok) return beginFlow(visit, outcome, begun);
  const waiting = outcome.error === 'RESEND_TOO_SOON' ? findBegun(visit, begun) : undefined;
  return waiting ? toVerify(visit, waiting.id) : showAccount(visit, access, problemOf(visit, outcome));
}
