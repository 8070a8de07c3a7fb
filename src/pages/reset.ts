import type { FastifyReply } from 'fastify';
import { resetPassword } from '../signin/reset-password.ts';
import { html } from '../web/html.ts';
import { fieldOf, formOf, leadOf, problemBox, submitOf } from './components.ts';
import { textOf } from './context.ts';
import { dropFlow, findFlow } from './flow.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, heldText, type Problem, problemOf } from './problems.ts';
import { addressAfter, outsideOf } from './return-address.ts';
import { cluesFor } from './site.ts';
import { tell } from './tell.ts';
import { enter, goTo, leaveNotice, pathTo, type Visit } from './visit.ts';
import { fill } from './words.ts';

/** GET /reset */
export async function showReset(visit: Visit, problem?: Problem): Promise<FastifyReply> {
  const found = findFlow(visit);
  const { words, locale } = visit;
  if (!found?.flow.resetToken) return gone(visit);
  const { id, flow } = found;
  const { minLength } = visit.site.tenant.policy.passwords;
  // A sign-up whose typed password could not be kept: the person is in already, and may leave it at that.
  const isOptional = flow.purpose === 'register';
  const texts = isOptional ? words.setPassword : words.reset;
  const field = fieldOf(visit, {
    name: 'password',
    label: words.fields.newPassword,
    type: 'password',
    autocomplete: 'new-password',
    hint: fill(words.fields.passwordHint, { count: new Intl.NumberFormat(locale).format(minLength) }),
    required: true,
    problem,
  });
  const body = html`<div class="stack">${leadOf(texts.title, texts.lead)}${problemBox(problem)}${formOf(
    visit,
    pathTo(visit, '/reset'),
    { flow: id },
    html`${field}${submitOf(isOptional ? words.save : words.reset.action)}`,
  )}${isOptional && html`<div class="choices"><a href="${addressAfter(visit, flow.returnTo)}">${words.setPassword.later}</a></div>`}</div>`;
  return sendPage(visit, {
    title: texts.title,
    body,
    leadsTo: outsideOf(flow.returnTo),
    ...(problem ? { status: problem.status } : {}),
  });
}

/** POST /reset */
export async function takeReset(visit: Visit): Promise<FastifyReply> {
  const found = findFlow(visit);
  if (!found?.flow.resetToken) return gone(visit);
  const { id, flow } = found;
  const password = textOf(visit.form, 'password');
  if (password === '') return showReset(visit, fieldProblems(visit, { password: 'required' }));
  const outcome = await resetPassword(
    visit.context.signIn,
    flow.resetToken,
    { new_password: password, device: { kind: 'browser' }, style: 'opaque' },
    cluesFor(visit.site, visit.clues, flow.tenant),
  );
  if (outcome.ok) {
    await enter(visit, outcome);
    dropFlow(visit, id);
    leaveNotice(visit, 'password');
    return goTo(visit, addressAfter(visit, flow.returnTo));
  }
  if (outcome.error === 'TOKEN_INVALID' || outcome.error === 'TOKEN_EXPIRED') {
    dropFlow(visit, id);
    return gone(visit);
  }
  const problem = problemOf(visit, outcome);
  const wait = outcome.details.next_action === 'WAIT' ? outcome.details.retry_after : undefined;
  return showReset(visit, wait === undefined ? problem : { ...problem, notice: heldText(visit, wait) });
}

function gone(visit: Visit): Promise<FastifyReply> {
  const { words } = visit;
  return tell(visit, 410, words.reset.gone, { path: '/forgot', text: words.forgot.title });
}
