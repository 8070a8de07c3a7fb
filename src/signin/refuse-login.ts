import { recordEvent } from '../audit/audit.ts';
import { type ErrorDetails, type Refused, refuse } from '../kernel/errors.ts';
import type { Address } from './address.ts';
import { chooseChannel } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { type Attempt, isVerified } from './attempt.ts';
import { putChallenge, takeOfCaller } from './prove-work.ts';
import { mayTellOpenly, stillTellsOpenly } from './openness.ts';
import { chooseLocale, type CodeRequest, issueCode } from './send-verification.ts';
import { tellPasswordLockout } from './tell-lockout.ts';
import { takeTollOnly } from './take-send.ts';

type Case = 'not_found' | 'not_verified' | 'disabled' | 'wrong';

/**
 * Answers a sign-in that did not succeed (flow E). Where an address waits for its proof, the code goes out again:
 * within its cool-down and budgets, and by SMS or a call, which cost money, only after the right password (C5).
 *
 * `explicit` names the case, within the caller's budget. `after_proof` names it to whoever typed the right password.
 * Everybody else gets one answer for every case, with a look-alike of the verification that a waiting address gets.
 */
export async function refuseLogin(
  context: SignInContext,
  attempt: Attempt,
  localeWish: string | undefined,
  clues: RequestClues,
): Promise<Refused> {
  const { tenant } = attempt;
  const which = caseOf(attempt);
  const isProved = attempt.fits || attempt.matching !== undefined;
  const isOpen = await answersOpenly(context, attempt, which, isProved, clues);
  if (!isProved) {
    await recordWrong(context, attempt, clues);
    const address = addressOf(attempt);
    if (address && attempt.attemptsLeft === 0) tellPasswordLockout(context, tenant, address, clues);
  }
  const locale = chooseLocale(tenant, localeWish, clues);
  // By a username nobody may learn of its address: how long that one waits would show in the answer.
  const isHidden = attempt.identifier.kind === 'username' && !isOpen && !isProved;
  const code =
    which === 'not_verified' && !isHidden ? codeFor(context, attempt, isProved, locale) : undefined;

  const isContested = which === 'not_verified' && !isProved;
  // Past the budget of explicit answers: told alike in every case, with a challenge that buys one more (C1).
  const isPast = tenant.policy.errorDetail === 'explicit' && !isOpen && !isProved;

  if (isOpen) {
    if (which === 'not_found') return refuse('ACCOUNT_NOT_FOUND', { next_action: 'REGISTER' });
    if (which === 'disabled') return refuse('ACCOUNT_DISABLED');
    if (which === 'wrong') return refuse('INVALID_CREDENTIALS', { attempts_left: attempt.attemptsLeft });
    if (isContested && !code) await contest(context, attempt);
    const sent = code ? await sendDetails(context, code, clues) : {};
    return refuse(
      'ACCOUNT_NOT_VERIFIED',
      { next_action: 'VERIFY_CODE', ...sent },
      notVerifiedSentence(attempt),
    );
  }
  if (isContested && isHidden) await contest(context, attempt);
  const details = await sendDetails(
    context,
    code ?? { ...decoyFor(attempt, locale), contested: isContested },
    clues,
  );
  return refuse('INVALID_CREDENTIALS', {
    attempts_left: attempt.attemptsLeft,
    ...(isPast ? await putChallenge(context, clues) : {}),
    ...details,
  });
}

function caseOf({ identifier, holder, waiting, fits }: Attempt): Case {
  if (!holder) return waiting.length > 0 ? 'not_verified' : 'not_found';
  // That an account is closed is told to whoever can sign in to it, and to nobody else.
  if (holder.is_disabled) return fits ? 'disabled' : 'wrong';
  return isVerified(identifier, holder) ? 'wrong' : 'not_verified';
}

async function answersOpenly(
  context: SignInContext,
  { tenant }: Attempt,
  which: Case,
  isProved: boolean,
  clues: RequestClues,
): Promise<boolean> {
  if (isProved) return tenant.policy.errorDetail !== 'uniform';
  // A wrong password of a known account tells nothing that its name did not; it only keeps in step.
  if (which === 'wrong' || which === 'disabled') return stillTellsOpenly(context, tenant, clues);
  return mayTellOpenly(context, tenant, clues);
}

/** The code that a waiting address is sent; undefined where none may go out this way. */
function codeFor(
  context: SignInContext,
  attempt: Attempt,
  isProved: boolean,
  locale: string,
): CodeRequest | undefined {
  const { tenant, identifier, holder, waiting, matching } = attempt;
  const address = holder ? addressOf(attempt) : { ...identifier, kind: identifier.kind as Address['kind'] };
  if (!address) return undefined;
  const chosen = chooseChannel(tenant, address, undefined, context.delivery);
  if (!chosen.ok || (!isProved && mayCost(context, tenant, address))) return undefined;
  const registration = matching ?? waiting[0];
  return {
    tenant,
    address,
    purpose: 'register',
    channel: chosen.channel,
    locale,
    userId: holder?.id ?? null,
    name: holder?.first_name ?? registration?.registration_data.first_name ?? null,
    ...(registration ? { registration: { id: registration.id } } : {}),
    vouchesPassword: isProved,
    contested: !isProved,
  };
}

/** Can the code come to cost money, be it only where its first way fails? */
function mayCost(context: SignInContext, tenant: Attempt['tenant'], address: Address): boolean {
  return context.delivery.planOf(tenant, address, undefined).some((channel) => context.tolls.costs(channel));
}

function addressOf({ holder }: Attempt): Address | undefined {
  if (!holder || holder.kind === null || holder.value === null) return undefined;
  return { kind: holder.kind, value: holder.value, asEntered: holder.as_entered ?? holder.value };
}

/** What stands in for a code where nobody waits for one: written, counted and answered alike, and sent to nobody. */
function decoyFor({ tenant, identifier }: Attempt, locale: string): CodeRequest {
  return {
    tenant,
    address: { ...identifier, kind: identifier.kind as Address['kind'] },
    purpose: 'register',
    channel: identifier.kind === 'phone' ? 'sms' : 'email',
    locale,
    userId: null,
    name: null,
    decoy: 'silent',
  };
}

/** Sends, and tells what a screen needs: a handle where a code went out, or how long to wait for the next. */
async function sendDetails(
  context: SignInContext,
  code: CodeRequest,
  clues: RequestClues,
): Promise<ErrorDetails> {
  const limited = await takeOfCaller(context, clues, 'login');
  if (limited) return limitedDetails(limited);
  if (code.decoy === undefined) {
    const refused = await takeTollOnly(context, code);
    if (refused) return { resend_in: refused.details.retry_after ?? 0 };
  }
  const sent = await issueCode(context, code, clues);
  if (!sent.ok) {
    if (sent.error === 'PROOF_OF_WORK_REQUIRED') return limitedDetails(sent);
    const { resend_in: resendIn, retry_after: retryAfter } = sent.details;
    return { resend_in: resendIn ?? retryAfter ?? 0 };
  }
  return {
    resend_in: sent.resendIn,
    ...(sent.verificationId === undefined ? {} : { verification_id: sent.verificationId }),
    expires_in: sent.expiresIn,
  };
}

/** Nothing was sent: the next try brings a solution, or comes later. */
function limitedDetails({ details }: Refused): ErrorDetails {
  const { retry_after: wait = 0, challenge, captcha, next_action: next } = details;
  return {
    resend_in: wait,
    ...(challenge ? { challenge } : {}),
    ...(captcha ? { captcha } : {}),
    ...(next === undefined ? {} : { next_action: next }),
  };
}

/** No code may go out, but it is remembered that another password than the waiting one was typed. */
async function contest(context: SignInContext, attempt: Attempt): Promise<void> {
  const { tenant, identifier } = attempt;
  const { kind, value } = addressOf(attempt) ?? identifier;
  const place = { tenantId: tenant.id, kind, value, takenBy: context.newId() };
  await context.budgets.contest(context.databaseOf(tenant.id), place);
}

/** The catalogue's sentence speaks of e-mail, as front ends expect it; a phone is named as one. */
function notVerifiedSentence(attempt: Attempt): string | undefined {
  return (addressOf(attempt) ?? attempt.identifier).kind === 'phone'
    ? 'Account not verified. Please verify your phone before signing in.'
    : undefined;
}

async function recordWrong(context: SignInContext, attempt: Attempt, clues: RequestClues): Promise<void> {
  const { tenant, identifier, holder } = attempt;
  const { sql, now } = context.databaseOf(tenant.id);
  const record = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`'password.wrong'`,
    actor: sql`'anonymous'`,
    subject: sql`${holder ? `user:${holder.id}` : `${identifier.kind}:${identifier.value}`}`,
    caller: clues.caller,
    now: now(),
    from: sql`(select 1) once`,
  });
  await sql`${record}`;
}
