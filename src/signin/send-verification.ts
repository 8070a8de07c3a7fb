import { recordEvent } from '../audit/audit.ts';
import { withConflictRetry } from '../db/database.ts';
import { messageLocales } from '../delivery/delivery.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { matchLocale, parseAcceptLanguage } from '../kernel/locale.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { codeTemplateOf, type Purpose } from '../verification/verification.ts';
import { type Address, type AddressFields, chooseChannel, locateAddress, maskAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';

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
  /** How the message greets the person, where a name is known. */
  name?: string | null;
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
  const chosen = chooseChannel(tenant, address.kind, input.channel, context.delivery.offers);
  if (!chosen.ok) return chosen;
  const limited = await takeCallerSend(context, clues);
  if (limited) return limited;
  const locale = chooseLocale(tenant, input.locale, clues);
  return issueCode(
    context,
    { tenant, address, purpose: 'sign_in', channel: chosen.channel, locale, userId: null },
    clues,
  );
}

/** Takes one send from the caller's hour; the refusal when none is left. */
export async function takeCallerSend(
  context: SignInContext,
  clues: RequestClues,
): Promise<Refused | undefined> {
  const taken = await context.buckets.take(
    `send:${clues.caller.bucket}`,
    context.sendsPerCallerPerHour,
    3600,
  );
  return taken.allowed ? undefined : refuse('RATE_LIMITED', { retry_after: taken.retryAfter });
}

/** The language of a message: asked for, else the browser's, else the tenant's. */
export function chooseLocale(tenant: Tenant, wish: string | undefined, clues: RequestClues): string {
  const wishes = wish === undefined ? parseAcceptLanguage(clues.acceptLanguage) : [wish];
  return matchLocale(wishes, messageLocales, tenant.locale);
}

/** Issues a new code: one statement that takes the address's budget and, if it was granted, writes everything. */
export async function issueCode(
  context: SignInContext,
  request: CodeRequest,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const { tenant, address, channel, locale } = request;
  const { codeLength, codeLifetimeSeconds } = tenant.policy;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const issued = context.verifications.issue(sql, {
    tenantId: tenant.id,
    purpose: request.purpose,
    channel,
    ...address,
    locale,
    codeLength,
    lifetimeSeconds: codeLifetimeSeconds,
    userId: request.userId,
    now,
  });
  const queued = context.delivery.queue(sql, {
    tenantId: tenant.id,
    verificationId: issued.id,
    content: {
      template: codeTemplateOf(request.purpose),
      to: address.kind === 'email' ? address.asEntered : address.value,
      code: issued.code,
      tenantName: tenant.name,
      name: request.name ?? null,
      locale,
      channel,
      expiresIn: codeLifetimeSeconds,
    },
    now,
    from: sql`issued`,
  });
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when budget.taken then 'verification.sent' else 'verification.refused' end`,
    actor: sql`'anonymous'`,
    subject: sql`${`${address.kind}:${address.value}`}`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('channel', ${channel}::text, 'purpose', ${request.purpose}::text)`,
    from: sql`budget`,
  });
  const [row] = await withConflictRetry(
    () => sql<{ taken: boolean; sent_at: Date[]; failed_at: Date[]; failures_in_a_row: number; now: Date }[]>`
      with budget as (${context.budgets.takeSend(sql, { tenantId: tenant.id, ...address, takenBy: issued.id, now })}),
        issued as (${issued.insert}),
        message as (${queued.insert}),
        audited as (${audited})
      select taken, sent_at, failed_at, failures_in_a_row, ${now} as now from budget`,
  );
  if (!row) throw new Error('the send statement gave no row');
  const state = {
    sentAt: row.sent_at,
    failedAt: row.failed_at,
    failuresInARow: row.failures_in_a_row,
    now: row.now,
  };
  if (!row.taken) return context.budgets.explainSend(state);
  context.delivery.dispatch(database, queued);
  return {
    ok: true,
    tenant,
    verificationId: issued.verificationId,
    channel,
    destination: maskAddress(address),
    codeLength,
    expiresIn: codeLifetimeSeconds,
    resendIn: context.budgets.resendIn(),
    attemptsLeft: Math.min(5, context.budgets.wrongCodesLeft(state)),
  };
}
