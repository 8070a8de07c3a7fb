import { recordEvent } from '../audit/audit.ts';
import { withConflictRetry } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { codeTemplateOf, type WaitingRow } from '../verification/verification.ts';
import { type Address, type AddressFields, chooseChannel, locateAddress, maskAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { issueCode, takeCallerSend, type VerificationSent } from './send-verification.ts';

export interface ResendInput extends AddressFields {
  verification_id?: string;
  channel?: string;
  locale?: string;
  tenant?: string;
}

/**
 * Sends a waiting verification's code again: the same one while it lives, a fresh one under a new handle once it has
 * expired or was guessed at too often. The cool-down and every budget hold across both.
 */
export async function resendOtp(
  context: SignInContext,
  input: ResendInput,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const found = await findWaiting(context, input, clues);
  if (!found.ok) return found;
  const { tenant, row, verificationId } = found;
  const address: Address = { kind: row.kind as Address['kind'], value: row.value, asEntered: row.as_entered };
  const chosen = chooseChannel(tenant, address.kind, input.channel, context.delivery.offers);
  if (!chosen.ok) return chosen;
  const limited = await takeCallerSend(context, clues);
  if (limited) return limited;
  const code = row.state === 'live' ? context.verifications.codeOf(tenant.id, row) : undefined;
  if (code !== undefined)
    return sendAgain(context, { tenant, row, address, channel: chosen.channel, code, verificationId }, clues);
  const { purpose, locale, user_id: userId } = row;
  return issueCode(context, { tenant, address, purpose, channel: chosen.channel, locale, userId }, clues);
}

type Found = { ok: true; tenant: Tenant; row: WaitingRow; verificationId: string | undefined } | Refused;

async function findWaiting(context: SignInContext, input: ResendInput, clues: RequestClues): Promise<Found> {
  if (input.verification_id === undefined) {
    const located = locateAddress(context.tenants, input, clues);
    if (!located.ok) return located;
    const { tenant, address } = located;
    const purposes = ['sign_in', 'register', 'recover'] as const;
    const [row] = await context.verifications.findByAddress(context.databaseOf(tenant.id), {
      tenantId: tenant.id,
      kind: address.kind,
      value: address.value,
      purposes,
    });
    return row ? { ok: true, tenant, row, verificationId: undefined } : refuse('VERIFICATION_NOT_FOUND');
  }
  const { verification_id: verificationId } = input;
  for (const tenant of tenantsOfHandle(context, input.tenant, clues)) {
    const row = await context.verifications.findByHandle(
      context.databaseOf(tenant.id),
      tenant.id,
      verificationId,
    );
    if (row && row.state !== 'used') return { ok: true, tenant, row, verificationId };
  }
  return refuse('VERIFICATION_NOT_FOUND');
}

/**
 * The tenants a handle may belong to: the one named or hosted here, else the default and then the markets, since a
 * phone flow need never have named its market.
 */
export function tenantsOfHandle(
  context: SignInContext,
  bodyTenant: string | undefined,
  clues: RequestClues,
): Tenant[] {
  const resolved = context.tenants.resolve({
    header: clues.tenantHeader,
    body: bodyTenant,
    host: clues.host,
  });
  if (!resolved) return [];
  if (clues.tenantHeader !== undefined || bodyTenant !== undefined) return [resolved];
  const markets = context.tenants.all().filter((tenant) => tenant.kind === 'market' && tenant !== resolved);
  return [resolved, ...markets];
}

interface Again {
  tenant: Tenant;
  row: WaitingRow;
  address: Address;
  channel: string;
  code: string;
  verificationId: string | undefined;
}

async function sendAgain(
  context: SignInContext,
  again: Again,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const { tenant, row, address, channel } = again;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const takenBy = context.newId();
  const queued = context.delivery.queue(sql, {
    tenantId: tenant.id,
    verificationId: row.id,
    content: {
      template: codeTemplateOf(row.purpose),
      to: address.kind === 'email' ? address.asEntered : address.value,
      code: again.code,
      tenantName: tenant.name,
      name: null,
      locale: row.locale,
      channel,
      expiresIn: row.expires_in,
    },
    now,
    from: sql`resent`,
  });
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when budget.taken then 'verification.resent' else 'verification.refused' end`,
    actor: sql`'anonymous'`,
    subject: sql`${`${address.kind}:${address.value}`}`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('channel', ${channel}::text, 'purpose', ${row.purpose}::text)`,
    from: sql`budget`,
  });
  type Row = {
    taken: boolean;
    sent_at: Date[];
    failed_at: Date[];
    failures_in_a_row: number;
    resent: boolean;
    now: Date;
  };
  const [result] = await withConflictRetry(
    () => sql<Row[]>`
      with budget as (${context.budgets.takeSend(sql, { tenantId: tenant.id, ...address, takenBy, now })}),
        resent as (${context.verifications.resend(sql, tenant.id, row.id, channel, now)}),
        message as (${queued.insert}),
        audited as (${audited})
      select taken, sent_at, failed_at, failures_in_a_row, ${now} as now, exists (select from resent) as resent
      from budget`,
  );
  if (!result) throw new Error('the resend statement gave no row');
  const { sent_at: sentAt, failed_at: failedAt, failures_in_a_row: failuresInARow } = result;
  const state = { sentAt, failedAt, failuresInARow, now: result.now };
  if (!result.taken) return context.budgets.explainSend(state);
  if (!result.resent) return refuse('VERIFICATION_NOT_FOUND');
  context.delivery.dispatch(database, queued);
  return {
    ok: true,
    tenant,
    verificationId: again.verificationId,
    channel,
    destination: maskAddress(address),
    codeLength: row.code_length,
    expiresIn: row.expires_in,
    resendIn: context.budgets.resendIn(),
    attemptsLeft: Math.min(row.attempts_left, context.budgets.wrongCodesLeft(state)),
  };
}
