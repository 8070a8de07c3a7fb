import type { FastifyReply } from 'fastify';
import type { Refused } from '../kernel/errors.ts';
import { secondProof } from '../signin/second-proof.ts';
import { html, type Html } from '../web/html.ts';
import { challengeField } from './challenge.ts';
import { fieldOf, formOf, leadOf, problemBox, submitOf } from './components.ts';
import { toVerify } from './begin-flow.ts';
import { textOf } from './context.ts';
import { finishSignIn, withoutProblem } from './finish.ts';
import { dropFlow, findFlow, type Flow, keepFlow, type NamedFlow } from './flow.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, type Problem, problemOf } from './problems.ts';
import { sendText } from './prove.ts';
import { outsideOf } from './return-address.ts';
import { cluesFor } from './site.ts';
import { tell } from './tell.ts';
import { goTo, pathTo, type Visit } from './visit.ts';

/** The number was right, but does not open its idle account alone: on to the page that asks for one more way. */
export function toSecondProof(visit: Visit, { id, flow }: NamedFlow, refused: Refused): FastifyReply {
  const { second_proof_token: token = '', ways = [] } = refused.details;
  keepFlow(visit, { ...withoutProblem(flow), secondProof: { token, ways } }, id);
  return goTo(visit, pathTo(visit, '/second-proof', { flow: id }));
}

/** GET /second-proof */
export async function showSecondProof(visit: Visit, problem?: Problem): Promise<FastifyReply> {
  const found = findFlow(visit);
  const asked = found?.flow.secondProof;
  const { words } = visit;
  if (!found || !asked) return tell(visit, 404, words.verify.nothing);
  if (asked.ways.length === 0) {
    const isRecovery = found.flow.purpose === 'recover';
    return tell(visit, 403, isRecovery ? words.secondProof.forgotten : words.secondProof.stuck);
  }
  const { id, flow } = found;
  const form = (children: Html): Html =>
    formOf(visit, pathTo(visit, '/second-proof'), { flow: id }, children);
  const choices = asked.ways.map((way) => {
    if (way.method === 'password') {
      const field = fieldOf(visit, {
        name: 'password',
        label: words.fields.password,
        type: 'password',
        autocomplete: 'current-password',
        required: true,
        problem,
      });
      return form(
        html`${field}<input type="hidden" name="way" value="password">${submitOf(words.prove.password)}`,
      );
    }
    if (way.method === 'new_account') {
      return form(
        html`<p class="soft">${words.secondProof.anewText}</p><input type="hidden" name="way" value="new_account"><button class="button plain full" type="submit">${words.secondProof.anew}</button>`,
      );
    }
    const work = textOf(visit.form, 'way') === way.identity_id ? problem?.work : undefined;
    return form(
      html`${challengeField(visit, work)}<input type="hidden" name="way" value="${way.identity_id}"><button class="button full" type="submit"><span>${sendText(visit, way)}</span></button>`,
    );
  });
  const body = html`<div class="stack">${leadOf(words.secondProof.title, words.secondProof.lead)}${problemBox(problem)}${choices}</div>`;
  return sendPage(visit, {
    title: words.secondProof.title,
    body,
    leadsTo: outsideOf(flow.returnTo),
    ...(problem ? { status: problem.status } : {}),
  });
}

/** POST /second-proof */
export async function takeSecondProof(visit: Visit): Promise<FastifyReply> {
  const found = findFlow(visit);
  const asked = found?.flow.secondProof;
  if (!found || !asked) return tell(visit, 404, visit.words.verify.nothing);
  const { id, flow } = found;
  const wanted = textOf(visit.form, 'way');
  const password = textOf(visit.form, 'password');
  if (wanted === 'password' && password === '') {
    return showSecondProof(visit, fieldProblems(visit, { password: 'required' }));
  }
  const way =
    wanted === 'password'
      ? { password }
      : wanted === 'new_account'
        ? { new_account: true }
        : { identity_id: wanted.slice(0, 36) };
  const outcome = await secondProof(
    visit.context.signIn,
    { token: asked.token, ...way, locale: visit.locale, device: { kind: 'browser' }, style: 'opaque' },
    cluesFor(visit.site, visit.clues, flow.tenant),
  );
  if (!outcome.ok) {
    if (outcome.error !== 'TOKEN_INVALID' && outcome.error !== 'TOKEN_EXPIRED') {
      return showSecondProof(visit, problemOf(visit, outcome));
    }
    dropFlow(visit, id);
    return tell(visit, 410, visit.words.verify.nothing);
  }
  if ('tokens' in outcome) return finishSignIn(visit, outcome, flow.returnTo, found);
  const now = visit.context.clock.now().getTime();
  const identity = asked.ways.find((one) => one.identity_id === wanted);
  const next: Flow = {
    ...withoutProblem(flow),
    purpose: 'sign_in',
    handle: outcome.verificationId ?? flow.handle,
    channel: outcome.channel,
    destination: outcome.destination,
    kind: identity?.method === 'telegram' ? 'telegram' : 'email',
    codeLength: outcome.codeLength,
    expiresAt: now + outcome.expiresIn * 1000,
    resendAt: now + outcome.resendIn * 1000,
    attemptsLeft: outcome.attemptsLeft,
  };
  keepFlow(visit, next, id);
  return toVerify(visit, id);
}
