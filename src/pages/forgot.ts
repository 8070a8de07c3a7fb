import type { FastifyReply } from 'fastify';
import { forgotPassword } from '../signin/forgot-password.ts';
import { html } from '../web/html.ts';
import { addressField, readAddress, typedWays, wayOf, waysMenu } from './address-field.ts';
import { beginFlow, findBegun, toVerify } from './begin-flow.ts';
import { challengeField } from './challenge.ts';
import { formOf, leadOf, problemBox, submitOf } from './components.ts';
import { textOf } from './context.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, type Problem, problemOf } from './problems.ts';
import { readReturnAddress } from './return-address.ts';
import { tell, tellBadReturn } from './tell.ts';
import { pathTo, type Visit } from './visit.ts';

/** GET /forgot */
export async function showForgot(visit: Visit, problem?: Problem): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const { words, site } = visit;
  const { returnTo } = back;
  const fields = problem ? visit.form : visit.query;
  const ways = typedWays(visit);
  const way = wayOf(ways, textOf(fields, 'with'));
  if (!site.tenant.policy.passwords.enabled) return tell(visit, 404, words.notFound);
  if (way === undefined) return tell(visit, 503, words.noChannel);
  const body = html`<div class="stack">${leadOf(words.forgot.title, words.forgot.lead)}${problemBox(problem)}${waysMenu(
    visit,
    ways,
    way,
    (other) => pathTo(visit, '/forgot', { with: other, return_to: returnTo }),
  )}${formOf(
    visit,
    pathTo(visit, '/forgot'),
    { with: way, return_to: returnTo },
    html`${addressField(visit, way, fields, problem)}${challengeField(visit, problem?.work)}${submitOf(words.forgot.action)}`,
  )}<div class="choices"><a href="${pathTo(visit, '/sign-in', { by: 'password', with: way, return_to: returnTo })}">${words.forgot.remembered}</a></div></div>`;
  return sendPage(visit, {
    title: words.forgot.title,
    body,
    ...(problem ? { status: problem.status, captcha: problem.work?.captcha } : {}),
  });
}

/** POST /forgot */
export async function takeForgot(visit: Visit): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const { context, form, site, locale, clues } = visit;
  const way = wayOf(typedWays(visit), textOf(form, 'with'));
  if (way === undefined) return showForgot(visit);
  const read = readAddress(site.tenant, way, form);
  if (!read.ok) return showForgot(visit, fieldProblems(visit, read.fields));
  const { phone, email } = read.address;
  const address = { ...(phone === undefined ? {} : { phone }), ...(email === undefined ? {} : { email }) };
  const begun = { purpose: 'recover' as const, address, returnTo: back.returnTo };
  const outcome = await forgotPassword(context.signIn, { ...address, locale }, clues);
  if (outcome.ok) return beginFlow(visit, outcome, begun);
  const waiting = outcome.error === 'RESEND_TOO_SOON' ? findBegun(visit, begun) : undefined;
  return waiting ? toVerify(visit, waiting.id) : showForgot(visit, problemOf(visit, outcome));
}
