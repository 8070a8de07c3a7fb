import type { FastifyReply } from 'fastify';
import type { Access } from '../sessions/sessions.ts';
import { changePassword } from '../signin/change-password.ts';
import { requireProof } from '../signin/require-proof.ts';
import { html } from '../web/html.ts';
import { fieldOf, formOf, leadOf, problemBox, submitOf } from './components.ts';
import { textOf } from './context.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, type Problem, problemOf } from './problems.ts';
import { askProof } from './prove.ts';
import { tell } from './tell.ts';
import { goTo, leaveNotice, pathTo, type Visit } from './visit.ts';
import { fill } from './words.ts';

/** GET /account/password: who is there comes first, so that nobody types a password in vain. */
export async function showPassword(visit: Visit, access: Access, problem?: Problem): Promise<FastifyReply> {
  const { words, locale, context } = visit;
  const { passwords } = access.tenant.policy;
  if (!passwords.enabled) {
    return tell(visit, 404, words.notFound, { path: '/account', text: words.backToAccount });
  }
  const unproved = await requireProof(context.signIn, access, 'password');
  if (unproved) return askProof(visit, access, unproved, { action: 'password', form: {} });
  const field = fieldOf(visit, {
    name: 'password',
    label: words.fields.newPassword,
    type: 'password',
    autocomplete: 'new-password',
    hint: fill(words.fields.passwordHint, {
      count: new Intl.NumberFormat(locale).format(passwords.minLength),
    }),
    required: true,
    problem,
  });
  const form = formOf(visit, pathTo(visit, '/account/password'), {}, html`${field}${submitOf(words.save)}`);
  const body = html`<div class="stack">${leadOf(words.reset.title, words.account.passwordText)}${problemBox(problem)}${form}<div class="choices"><a href="${pathTo(visit, '/account')}">${words.backToAccount}</a></div></div>`;
  return sendPage(visit, { title: words.reset.title, body, ...(problem ? { status: problem.status } : {}) });
}

/** POST /account/password */
export async function takePassword(visit: Visit, access: Access): Promise<FastifyReply> {
  const password = textOf(visit.form, 'password');
  if (password === '') return showPassword(visit, access, fieldProblems(visit, { password: 'required' }));
  const { context, clues } = visit;
  const outcome = await changePassword(context.signIn, access, { new_password: password }, clues);
  if (outcome.ok) {
    leaveNotice(visit, 'password');
    return goTo(visit, pathTo(visit, '/account'));
  }
  return showPassword(visit, access, problemOf(visit, outcome));
}
