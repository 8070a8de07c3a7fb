import type { FastifyReply } from 'fastify';
import type { ProofWay, Refused } from '../kernel/errors.ts';
import type { Access } from '../sessions/sessions.ts';
import { html, type Html } from '../web/html.ts';
import { addressText, fieldOf, formOf, leadOf, problemBox } from './components.ts';
import { sendPage } from './layout.ts';
import { heldText, type Problem } from './problems.ts';
import { type Named, sealedCookies } from './sealed-cookies.ts';
import { tell } from './tell.ts';
import { goTo, pathTo, type Visit } from './visit.ts';
import { fillHtml } from './words.ts';

/** What somebody asked for before they had to prove again who they are: small, and nothing secret. */
export interface Intent {
  action: 'add_address' | 'remove_address' | 'username' | 'password' | 'devices' | 'sign_out';
  form: Readonly<Record<string, string>>;
}

/** A change that waits for its proof, in the session that asked for it. */
interface Proving {
  intent: Intent;
  ways: ProofWay[];
  sessionId: string;
  /** No proof helps, only time: until then, in milliseconds. */
  heldUntil?: number;
}

const provings = sealedCookies<Proving>({ name: 'prove', most: 3, lifeSeconds: 900 });

/**
 * A change wants a fresh proof (S32): keeps what was asked, and goes to the page that asks for the proof.
 * @param refused what the use case answered: STEP_UP_REQUIRED, with the ways of this account
 */
export function askProof(visit: Visit, access: Access, refused: Refused, intent: Intent): FastifyReply {
  const ways = refused.details.ways ?? [];
  const wait = refused.details.next_action === 'WAIT' ? (refused.details.retry_after ?? 0) : 0;
  const held = wait > 0 ? { heldUntil: visit.context.clock.now().getTime() + wait * 1000 } : {};
  const id = provings.keep(visit, { intent, ways, sessionId: access.sessionId, ...held });
  return goTo(visit, pathTo(visit, '/prove', { flow: id }));
}

/** The change that waits, if it was asked for in this very session. */
export function findProving(visit: Visit, access: Access): Named<Proving> | undefined {
  const found = provings.find(visit);
  return found?.flow.sessionId === access.sessionId ? found : undefined;
}

/** Takes the change that waits under this name: it is made once. */
export function takeProving(visit: Visit, access: Access, id: string): Intent | undefined {
  const proving = provings.open(visit, id);
  if (proving?.sessionId !== access.sessionId) return undefined;
  provings.drop(visit, id);
  return proving.intent;
}

/** Nothing waits here any more. */
export function tellNothingToProve(visit: Visit): Promise<FastifyReply> {
  const { words } = visit;
  return tell(visit, 404, words.prove.gone, { path: '/account', text: words.backToAccount });
}

/** GET /prove */
export function showProve(visit: Visit, access: Access, problem?: Problem): Promise<FastifyReply> {
  const found = findProving(visit, access);
  if (!found) return tellNothingToProve(visit);
  const { words } = visit;
  const { id, flow } = found;
  if (flow.heldUntil !== undefined) {
    const seconds = Math.max(60, (flow.heldUntil - visit.context.clock.now().getTime()) / 1000);
    const next = { path: '/account', text: words.backToAccount };
    return tell(visit, 403, { ...words.prove.held, text: heldText(visit, seconds) }, next);
  }
  if (flow.ways.length === 0) {
    return tell(visit, 403, words.prove.stuck, { path: '/account', text: words.backToAccount });
  }
  const body = html`<div class="stack">${leadOf(words.prove.title, words.prove.lead)}${problemBox(problem)}${waysOf(visit, id, flow.ways, problem)}<div class="choices"><a href="${pathTo(visit, '/account')}">${words.cancel}</a></div></div>`;
  return sendPage(visit, { title: words.prove.title, body, ...(problem ? { status: problem.status } : {}) });
}

/** "Send a code to …". Of a Telegram account there are digits alone, which say nothing by themselves. */
export function sendText({ words }: Visit, { method, destination = '' }: ProofWay): Html {
  const place = addressText(destination);
  return fillHtml(words.prove.send, {
    destination:
      method === 'telegram' ? html`<span class="whole">${words.ways.telegram} ${place}</span>` : place,
  });
}

/** The password is at hand, so it stands first; a code is one press for each address. */
function waysOf(visit: Visit, id: string, ways: readonly ProofWay[], problem: Problem | undefined): Html {
  const { words } = visit;
  const action = pathTo(visit, '/prove');
  const hasPassword = ways.some(({ method }) => method === 'password');
  const password =
    hasPassword &&
    formOf(
      visit,
      action,
      { flow: id },
      html`${fieldOf(visit, { name: 'password', label: words.fields.password, type: 'password', autocomplete: 'current-password', required: true, problem })}<button class="button full" type="submit">${words.prove.password}</button>`,
    );
  const codes = ways.flatMap((way, index) => {
    const { method, identity_id: identity } = way;
    if (method === 'password' || identity === undefined) return [];
    const look = !hasPassword && index === 0 ? 'button full' : 'button plain full';
    return [
      formOf(
        visit,
        action,
        { flow: id, identity },
        html`<button class="${look}" type="submit"><span>${sendText(visit, way)}</span></button>`,
      ),
    ];
  });
  const rule = password && codes.length > 0 && html`<p class="rule">${words.or}</p>`;
  return html`${password}${rule}${codes.length > 0 && html`<div class="stack-close">${codes}</div>`}`;
}
