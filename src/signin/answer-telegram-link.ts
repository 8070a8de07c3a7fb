import { recordEvent } from '../audit/audit.ts';
import {
  LINKS_OPENED_PER_HOUR,
  type LinkReference,
  type LinkRow,
  type LinkStep,
} from '../telegram-proofs/telegram-proofs.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { RequestClues, SignInContext } from './context.ts';

/** Who speaks from Telegram: the sender of an update in a private chat, never what a text says. */
export interface TelegramAsker {
  id: string;
  firstName: string | null;
  lastName: string | null;
  username: string | null;
}

/** A question that stands in Telegram: what it is about, and the numbers to choose from. */
export type LinkQuestion =
  | { state: 'choose' | 'wrong'; link: LinkRow; choices: number[] }
  | { state: 'confirm'; link: LinkRow }
  /** Answered already, by whoever asks. */
  | { state: 'confirmed' }
  | { state: 'denied' }
  /** Over for whoever asks: used, expired, denied or another's. Which of them is not told (S11). */
  | { state: 'gone' };

const GONE: LinkQuestion = { state: 'gone' };

/** Somebody opens a link in Telegram. From then on it is theirs alone to answer. */
export async function openTelegramLink(
  context: SignInContext,
  tenant: Tenant,
  asker: TelegramAsker,
  payload: string,
  clues: RequestClues,
): Promise<LinkQuestion> {
  const key = `telegram-link:${tenant.id}:${asker.id}`;
  const taken = await context.buckets.take(key, LINKS_OPENED_PER_HOUR, 3600);
  if (!taken.allowed) return GONE;
  const { id, ...names } = asker;
  const opened = await take(context, tenant, { payload }, id, { do: 'open', ...names }, clues);
  // Start pressed twice: the same question once more.
  return ask(context, tenant, opened ?? (await find(context, tenant, { payload }, id)));
}

/** A number was chosen. The right one leads to the question; the third wrong one burns the link. */
export async function chooseTelegramNumber(
  context: SignInContext,
  tenant: Tenant,
  asker: TelegramAsker,
  chosen: { id: string; number: number },
  clues: RequestClues,
): Promise<LinkQuestion> {
  const { proofs } = context.telegramSignIn;
  const right = proofs.matchNumber(tenant.id, chosen.id) === chosen.number;
  const step = { do: right ? 'match' : 'mismatch' } as const;
  const moved = await take(context, tenant, { id: chosen.id }, asker.id, step, clues);
  if (!moved) return askAgain(context, tenant, chosen.id, asker);
  const question = ask(context, tenant, moved);
  return !right && question.state === 'choose' ? { ...question, state: 'wrong' } : question;
}

/** The last word from Telegram. */
export async function answerTelegramLink(
  context: SignInContext,
  tenant: Tenant,
  asker: TelegramAsker,
  answer: { id: string; confirm: boolean },
  clues: RequestClues,
): Promise<LinkQuestion> {
  const step = { do: answer.confirm ? 'confirm' : 'deny' } as const;
  const moved = await take(context, tenant, { id: answer.id }, asker.id, step, clues);
  if (moved) return answer.confirm ? { state: 'confirmed' } : { state: 'denied' };
  return askAgain(context, tenant, answer.id, asker);
}

/**
 * A button that moved nothing: pressed twice, or under a question that has been answered since. Whoever opened the link
 * is told how it stands.
 */
async function askAgain(
  context: SignInContext,
  tenant: Tenant,
  id: string,
  asker: TelegramAsker,
): Promise<LinkQuestion> {
  const link = await find(context, tenant, { id }, asker.id);
  if (link?.state === 'confirmed') return { state: 'confirmed' };
  if (link?.state === 'denied') return { state: 'denied' };
  return ask(context, tenant, link);
}

/** The link that this Telegram account has opened, and nobody else's. */
function find(
  context: SignInContext,
  tenant: Tenant,
  reference: LinkReference,
  telegramUserId: string,
): Promise<LinkRow | undefined> {
  const of = { tenantId: tenant.id, reference, telegramUserId };
  return context.telegramSignIn.proofs.findOpened(context.databaseOf(tenant.id), of);
}

function ask(context: SignInContext, tenant: Tenant, link: LinkRow | undefined): LinkQuestion {
  if (link?.state === 'matched') return { state: 'confirm', link };
  if (link?.state !== 'opened') return GONE;
  return { state: 'choose', link, choices: context.telegramSignIn.proofs.matchChoices(tenant.id, link.id) };
}

/** One step and its event, in one statement. Undefined: it is not this account's step to take. */
async function take(
  context: SignInContext,
  tenant: Tenant,
  reference: LinkReference,
  telegramUserId: string,
  step: LinkStep,
  clues: RequestClues,
): Promise<LinkRow | undefined> {
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const tenantId = tenant.id;
  const moved = context.telegramSignIn.proofs.step(sql, { tenantId, reference, telegramUserId, step, now });
  if (!moved) return undefined;
  const audited = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`${`telegram_link.${EVENTS[step.do]}`}`,
    actor: sql`${`telegram:${telegramUserId}`}`,
    subject: sql`'telegram_link:' || moved.id`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('purpose', moved.purpose, 'state', moved.state)`,
    from: sql`moved`,
  });
  const [row] = await sql<LinkRow[]>`
    with moved as (${moved}), audited as (${audited}) select * from moved`;
  return row;
}

const EVENTS: Record<LinkStep['do'], string> = {
  open: 'opened',
  match: 'matched',
  mismatch: 'mismatched',
  confirm: 'confirmed',
  deny: 'denied',
};
