import { recordEvent } from '../audit/audit.ts';
import { type Fragment, type Sql, withConflictRetry } from '../db/database.ts';
import { messageLocales } from '../delivery/delivery.ts';
import { findChat } from '../chats/chats.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { matchLocale, parseAcceptLanguage } from '../kernel/locale.ts';
import { QueueFull } from '../kernel/queue-full.ts';
import { WRONG_CODES_PER_CODE } from '../limits/limits.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { codeTemplateOf, type Purpose } from '../verification/verification.ts';
import {
  type Address,
  type AddressFields,
  chooseChannel,
  locateAddress,
  maskAddress,
  refuseNewAddress,
} from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { askingFor, explainGate } from './guessed-address.ts';
import { ownersShare } from './owner.ts';
import { sendPlainly } from './plain-send.ts';
import { giveTollBack, takeSend } from './take-send.ts';
import { testAddressOf } from './test-address.ts';
import { mayTellOpenly } from './openness.ts';

export interface SendVerificationInput extends AddressFields {
  channel?: string;
  locale?: string;
  tenant?: string;
}

/** What a screen needs after a code was sent. Durations are whole seconds. */
export interface VerificationSent {
  ok: true;
  tenant: Tenant;
  /** The handle; undefined when the code was sent again for somebody who never held it. */
  verificationId: string | undefined;
  channel: string;
  destination: string;
  codeLength: number;
  expiresIn: number;
  resendIn: number;
  attemptsLeft: number;
}

/** Everything a new code needs to know, whoever asked for it. */
export interface CodeRequest {
  tenant: Tenant;
  address: Address;
  purpose: Purpose;
  channel: string;
  locale: string;
  userId: string | null;
  /** link and step_up: the session that may finish it, and for a change the address that is to go. */
  of?: { sessionId: string; replacesIdentityId: string | null };
  /** How the message greets the person, where a name is known. */
  name?: string | null;
  /** The registration its proof completes: one that waits, or the `with` entry that keeps it in the same statement. */
  registration?: { id: string } | { keep: (sql: Sql, now: Fragment) => Fragment };
  /** Did whoever starts it type the waiting password? */
  vouchesPassword?: boolean;
  /** A session asks for an address of its own account, or a chat: past strangers' guesses no work is asked of them (C11). */
  isKnown?: boolean;
  /** Somebody typed another password than the waiting one: remembered with the address. */
  contested?: boolean;
  /** Inside the cool-down: the code follows when it ends, instead of a refusal. */
  patient?: boolean;
  /** An entry of the statement after `issued`: what is written with the code, or not at all. */
  alongside?: (sql: Sql) => Fragment;
  /**
   * Nobody may learn that nobody is there: the same answer for the same work, and no code. With `already_registered`
   * the address is told that it has an account.
   */
  decoy?: 'silent' | 'already_registered' | undefined;
}

/**
 * Starts a verification: finds tenant and address, takes from the caller's budget, then writes verification, message
 * and audit row in one statement. The code leaves after the commit, by the outbox.
 */
export async function sendVerification(
  context: SignInContext,
  input: SendVerificationInput,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const located = locateAddress(context.tenants, input, clues);
  if (!located.ok) return located;
  const { tenant, address } = located;
  const closed = refuseNewAddress(tenant, address);
  if (closed) return closed;
  const chosen = chooseChannel(tenant, address, input.channel, context.delivery);
  if (!chosen.ok) return chosen;
  const limited = await takeSend(context, { tenant, address, channel: chosen.channel }, clues);
  if (limited) return limited;
  const locale = chooseLocale(tenant, input.locale, clues);
  const request = {
    tenant,
    address,
    purpose: 'sign_in' as const,
    channel: chosen.channel,
    locale,
    userId: null,
  };
  if (address.kind !== 'telegram' || (await isReachable(context, tenant, address)))
    return issueCode(context, request, clues);
  // Whether somebody has met the bot is told like whether somebody has an account (C1).
  if (!(await mayTellOpenly(context, tenant, clues)))
    return issueCode(context, { ...request, decoy: 'silent' }, clues);
  const link = context.telegram.linkOf(tenant.id);
  return refuse('TELEGRAM_CHAT_UNKNOWN', {
    next_action: 'OPEN_BOT',
    ...(link === undefined ? {} : { bot_link: link }),
  });
}

/** Can the bot write to this Telegram account? Only to who has pressed Start, and has not stopped it since. */
async function isReachable(context: SignInContext, tenant: Tenant, address: Address): Promise<boolean> {
  const chat = await findChat(context.databaseOf(tenant.id), tenant.id, address.value);
  return chat !== undefined && chat.blocked_at === null;
}

/** The language of a message: asked for, else the browser's, else the tenant's. */
export function chooseLocale(tenant: Tenant, wish: string | undefined, clues: RequestClues): string {
  const wishes = wish === undefined ? parseAcceptLanguage(clues.acceptLanguage) : [wish];
  return matchLocale(wishes, messageLocales, tenant.locale);
}

interface SendRow {
  taken: boolean;
  due: Date;
  issued: boolean;
  sent_at: Date[];
  failed_at: Date[];
  failures_in_a_row: number;
  strangers_in_a_row: number;
  kept: number;
  kept_sends: number;
  now: Date;
}

/** Issues a new code: one statement that takes the address's budget and, if it was granted, writes everything. */
export async function issueCode(
  context: SignInContext,
  request: CodeRequest,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const { tenant, address, channel, locale } = request;
  const { codeLifetimeSeconds } = tenant.policy;
  const test = await testAddressOf(context, tenant, address, request.purpose);
  const decoy = test && (test.kind === 'silent' || request.decoy !== undefined) ? 'silent' : request.decoy;
  const fixed = test?.kind === 'fixed' && decoy === undefined ? test : undefined;
  const isSent = decoy !== 'silent' && !fixed;
  const codeLength = fixed?.code.length ?? tenant.policy.codeLength(request.purpose);
  const { registration } = request;
  const database = context.databaseOf(tenant.id);
  const answer = (verificationId: string, wait: number, attemptsLeft: number): VerificationSent => ({
    ok: true,
    tenant,
    verificationId,
    channel,
    destination: maskAddress(address),
    codeLength,
    expiresIn: wait + codeLifetimeSeconds,
    resendIn: wait + context.budgets.resendIn(),
    attemptsLeft,
  });
  if (!fixed) {
    const sent = await sendPlainly(context, database, { ...request, decoy, codeLength }, clues).catch(
      async (fault: unknown) => {
        // It never began: what it would have cost was not spent. Of any other fault that is not known.
        if (fault instanceof QueueFull) await giveTollBack(context, { tenant, address, channel });
        throw fault;
      },
    );
    if (sent) {
      if (isSent) context.delivery.dispatch(database, sent.prepared);
      else void giveTollBack(context, { tenant, address, channel });
      return answer(sent.made.verificationId, 0, context.budgets.attemptsAtPeace());
    }
  }
  const { sql } = database;
  const now = database.now();
  const share = ownersShare(sql, tenant, clues, now);
  const asking = await askingFor(context, sql, share, clues, request.isKnown ?? false);
  const issued = context.verifications.issue(sql, {
    tenantId: tenant.id,
    purpose: request.purpose,
    channel,
    ...address,
    locale,
    codeLength,
    lifetimeSeconds: codeLifetimeSeconds,
    userId: request.userId,
    ...request.of,
    ...(registration && 'id' in registration ? { pendingRegistrationId: sql`${registration.id}::uuid` } : {}),
    ...(registration && 'keep' in registration ? { pendingRegistrationId: sql`registration.id` } : {}),
    vouchesPassword: request.vouchesPassword ?? false,
    decoy: decoy !== undefined,
    fixed,
    closesAddress: asking.closesAddress,
    startedBy: clues.caller.bucket,
    from:
      registration && 'keep' in registration
        ? sql`budget, registration where taken`
        : sql`budget where taken`,
  });
  const queued = context.delivery.queue(sql, {
    tenantId: tenant.id,
    verificationId: decoy === undefined && !fixed ? issued.id : null,
    tollsTaken: true,
    content: {
      template: decoy === 'already_registered' ? decoy : codeTemplateOf(request.purpose),
      to: address.kind === 'email' ? address.asEntered : address.value,
      code: decoy === undefined && !fixed ? issued.code : null,
      tenantName: tenant.name,
      name: request.name ?? null,
      locale,
      channel,
      expiresIn: codeLifetimeSeconds,
    },
    now,
    due: sql`budget.due`,
    decoy: !isSent,
    from: sql`issued, budget`,
  });
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when budget.taken then 'verification.sent' else 'verification.refused' end`,
    actor: sql`${request.of ? `user:${request.userId}` : 'anonymous'}::text`,
    subject: sql`${`${address.kind}:${address.value}`}`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('channel', ${channel}::text, 'purpose', ${request.purpose}::text)`,
    from: sql`budget`,
  });
  const [row] = await withConflictRetry(
    () => sql<SendRow[]>`
      with budget as (${context.budgets.takeSend(sql, {
        tenantId: tenant.id,
        ...address,
        takenBy: issued.id,
        patient: request.patient ?? false,
        contested: request.contested ?? false,
        passesGate: asking.passesGate,
        kept: share,
        now,
      })}),
        ${registration && 'keep' in registration ? sql`registration as (${registration.keep(sql, now)}),` : sql``}
        issued as (${issued.insert}),
        ${request.alongside ? sql`alongside as (${request.alongside(sql)}),` : sql``}
        message as (${queued.insert}),
        audited as (${audited})
      select taken, due, sent_at, failed_at, failures_in_a_row, strangers_in_a_row, kept, kept_sends,
        ${now} as now, exists (select from issued) as issued from budget`,
  );
  if (!row) throw new Error('the send statement gave no row');
  const state = {
    sentAt: row.sent_at,
    failedAt: row.failed_at,
    failuresInARow: row.failures_in_a_row,
    strangersInARow: row.strangers_in_a_row,
    kept: row.kept,
    keptSends: row.kept_sends,
    now: row.now,
  };
  // Nothing goes out: the tolls are as they were. Nobody waits for it, so it tells nothing (S22).
  if (!row.taken || !row.issued || !isSent) void giveTollBack(context, { tenant, address, channel });
  if (!row.taken) {
    const gated = await explainGate(context, state, request.patient ?? false, clues);
    return gated ?? context.budgets.explainSend(state);
  }
  // The registration that was to be changed has ended meanwhile.
  if (!row.issued) return refuse('VERIFICATION_NOT_FOUND');
  const wait = Math.max(0, Math.ceil((row.due.getTime() - row.now.getTime()) / 1000));
  if (wait === 0 && isSent) context.delivery.dispatch(database, queued);
  return answer(
    issued.verificationId,
    wait,
    Math.min(WRONG_CODES_PER_CODE, context.budgets.wrongCodesLeft(state)),
  );
}
