import type { FastifyReply } from 'fastify';
import { readRegistration } from '../registrations/registrations.ts';
import { register } from '../signin/register.ts';
import { html, type Html } from '../web/html.ts';
import {
  addressField,
  codeWays,
  readAddress,
  typedWays,
  type Way,
  wayOf,
  waysMenu,
} from './address-field.ts';
import { beginFlow, findBegun, toVerify } from './begin-flow.ts';
import { challengeField } from './challenge.ts';
import { fieldOf, formOf, leadOf, problemBox, submitOf } from './components.ts';
import { type Fields, textOf, trimmedOf } from './context.ts';
import { customFieldsForm, readCustomFields } from './custom-fields.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, issueTexts, type Problem, problemOf } from './problems.ts';
import { readReturnAddress } from './return-address.ts';
import { tell, tellBadReturn } from './tell.ts';
import { hasTelegramLink } from './telegram.ts';
import { goTo, pathTo, type Visit } from './visit.ts';
import { fill } from './words.ts';

/** GET /sign-up */
export async function showSignUp(visit: Visit, problem?: Problem): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const { words, site } = visit;
  const { returnTo } = back;
  if (site.tenant.policy.registration === 'closed') {
    const { title, text } = words.signUp.closed;
    return tell(visit, 403, { title, text: fill(text, { tenant: site.tenant.name }) });
  }
  const fields = problem ? visit.form : visit.query;
  const ways = typedWays(visit);
  const way = wayOf(ways, textOf(fields, 'with'));
  if (way === undefined) {
    // Whoever proves a Telegram account at the sign-in has an account by that.
    const hasTelegram = codeWays(visit).length > 0 || hasTelegramLink(visit);
    return hasTelegram
      ? goTo(visit, pathTo(visit, '/sign-in', { return_to: returnTo }))
      : tell(visit, 503, words.noChannel);
  }
  const hrefOf = (other: Way): string => pathTo(visit, '/sign-up', { with: other, return_to: returnTo });
  const form = formOf(
    visit,
    pathTo(visit, '/sign-up'),
    { with: way, return_to: returnTo },
    html`${addressField(visit, way, fields, problem)}${profileFields(visit, fields, problem)}${customFieldsForm(visit, site.tenant.policy.customFields, fields, problem)}${passwordField(visit, problem)}${challengeField(visit, problem?.work)}${submitOf(words.signUp.action)}`,
  );
  const body = html`<div class="stack">${leadOf(words.signUp.title, words.signUp.lead)}${problemBox(problem)}${waysMenu(visit, ways, way, hrefOf)}${form}<div class="choices"><a href="${pathTo(visit, '/sign-in', { with: way, return_to: returnTo })}">${words.signUp.haveAccount}</a></div></div>`;
  return sendPage(visit, {
    title: words.signUp.title,
    body,
    ...(problem ? { status: problem.status, captcha: problem.work?.captcha } : {}),
  });
}

/** First and last name, and a username where the tenant asks for one. */
function profileFields(visit: Visit, fields: Fields, problem: Problem | undefined): Html {
  const { words, site } = visit;
  const { requiredFields } = site.tenant.policy;
  const username =
    requiredFields.includes('username') &&
    fieldOf(visit, {
      name: 'username',
      label: words.fields.username,
      value: textOf(fields, 'username'),
      hint: words.fields.usernameHint,
      autocomplete: 'nickname',
      leftToRight: true,
      required: true,
      problem,
    });
  return html`${nameFields(visit, fields, problem)}${username}`;
}

/** First and last name, side by side where there is room. */
export function nameFields(visit: Visit, fields: Fields, problem: Problem | undefined): Html {
  const { words, site } = visit;
  const { requiredFields } = site.tenant.policy;
  const name = (key: 'first_name' | 'last_name', label: string, autocomplete: string): Html => {
    const required = requiredFields.includes(key);
    const value = textOf(fields, key);
    return fieldOf(visit, { name: key, label, autocomplete, value, required, optional: !required, problem });
  };
  return html`<div class="pair">${name('first_name', words.fields.firstName, 'given-name')}${name('last_name', words.fields.lastName, 'family-name')}</div>`;
}

function passwordField(visit: Visit, problem: Problem | undefined): Html | null {
  const { words, site, locale } = visit;
  const { passwords, requiredFields } = site.tenant.policy;
  if (!passwords.enabled) return null;
  const required = requiredFields.includes('password');
  return fieldOf(visit, {
    name: 'password',
    label: words.fields.password,
    type: 'password',
    autocomplete: 'new-password',
    hint: fill(words.fields.passwordHint, {
      count: new Intl.NumberFormat(locale).format(passwords.minLength),
    }),
    required,
    optional: !required,
    problem,
  });
}

/** POST /sign-up */
export async function takeSignUp(visit: Visit): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const { context, form, site, locale, clues } = visit;
  const way = wayOf(typedWays(visit), textOf(form, 'with'));
  if (way === undefined || site.tenant.policy.registration === 'closed') return showSignUp(visit);
  const password = textOf(form, 'password');
  const custom = readCustomFields(site.tenant.policy.customFields, form);
  const profile = {
    ...given(form, 'first_name'),
    ...given(form, 'last_name'),
    ...given(form, 'username'),
    ...(custom === undefined ? {} : { custom_fields: custom }),
  };
  const read = readAddress(site.tenant, way, form);
  if (!read.ok) {
    // All that is wrong is told at once, also where the address keeps the rest from being asked.
    const other = readRegistration(site.tenant, profile);
    const problem = fieldProblems(visit, read.fields);
    const issues = other.ok ? [] : other.issues;
    if (password === '' && site.tenant.policy.requiredFields.includes('password'))
      issues.push({ path: '/password', message: 'is required' });
    const more = issueTexts(visit, issues);
    return showSignUp(visit, { ...problem, fields: { ...more, ...problem.fields } });
  }
  const { phone, email } = read.address;
  const address = { ...(phone === undefined ? {} : { phone }), ...(email === undefined ? {} : { email }) };
  const begun = { purpose: 'register' as const, address, returnTo: back.returnTo };
  const waiting = findBegun(visit, begun);
  const outcome = await register(
    context.signIn,
    {
      ...address,
      ...profile,
      ...(password === '' ? {} : { password }),
      // The same person corrects what waits, instead of letting it wait twice.
      ...(waiting ? { verification_id: waiting.flow.handle } : {}),
      locale,
    },
    clues,
  );
  if (outcome.ok) return beginFlow(visit, outcome, begun);
  if (outcome.error === 'RESEND_TOO_SOON' && waiting) return toVerify(visit, waiting.id);
  return showSignUp(visit, problemOf(visit, outcome));
}

function given(form: Fields, name: 'first_name' | 'last_name' | 'username'): Record<string, string> {
  const value = trimmedOf(form, name);
  return value === undefined ? {} : { [name]: value };
}
