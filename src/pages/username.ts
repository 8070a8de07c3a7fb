import type { PublicUser } from '../users/users.ts';
import { html, type Html } from '../web/html.ts';
import { fieldOf, formOf } from './components.ts';
import { textOf } from './context.ts';
import type { Problem } from './problems.ts';
import { pathTo, type Visit } from './visit.ts';

/** Have accounts of this tenant a username: to sign in by, or because it asks for one? */
export function hasUsername({ site }: Visit): boolean {
  const { identifiers, requiredFields } = site.tenant.policy;
  return identifiers.includes('username') || requiredFields.includes('username');
}

/** A form of its own: where people sign in by it, changing it wants a fresh proof, and names do not. */
export function usernameForm(visit: Visit, user: PublicUser, problem: Problem | undefined): Html {
  const { words, site } = visit;
  const { identifiers, requiredFields } = site.tenant.policy;
  const isRequired = requiredFields.includes('username');
  const field = fieldOf(visit, {
    name: 'username',
    label: words.fields.username,
    value: problem ? textOf(visit.form, 'username') : (user.username ?? ''),
    hint: words.fields.usernameHint,
    autocomplete: 'username',
    leftToRight: true,
    required: isRequired,
    optional: !isRequired,
    problem,
  });
  const text = identifiers.includes('username') && html`<p class="soft">${words.account.usernameText}</p>`;
  const save = html`<div class="row"><button class="button" type="submit">${words.save}</button></div>`;
  return html`${text}${formOf(visit, pathTo(visit, '/account/username'), {}, html`${field}${save}`)}`;
}
