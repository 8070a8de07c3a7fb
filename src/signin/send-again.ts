import { recordEvent } from '../audit/audit.ts';
import { withConflictRetry } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { codeTemplateOf, type WaitingRow } from '../verification/verification.ts';
import { type Address, maskAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { ownersShare } from './owner.ts';
import type { VerificationSent } from './send-verification.ts';
import { giveTollBack } from './take-send.ts';

/** A decoy of a registration tells the owner of the address that there is an account; others send nothing. */
export function decoyOf(row: WaitingRow): 'silent' | 'already_registered' {
  return row.pending_registration_id === null ? 'silent' : 'already_registered';
}

interface Again {
  tenant: Tenant;
  row: WaitingRow;
  address: Address;
  channel: string;
  /** Null for a decoy. */
  code: string | null;
  name: string | null;
  verificationId: string | undefined;
}

/** The same code once more, and what it costs: the cool-down, the budgets and the message in one statement. */
export async function sendAgain(
  context: SignInContext,
  again: Again,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const { tenant, row, address, channel } = again;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const takenBy = context.newId();
  const isSilent = row.test_entry !== null || (row.is_decoy && decoyOf(row) === 'silent');
  const queued = context.delivery.queue(sql, {
    tenantId: tenant.id,
    verificationId: row.is_decoy || row.test_entry !== null ? null : row.id,
    tollsTaken: true,
    content: {
      template: row.is_decoy && !isSilent ? 'already_registered' : codeTemplateOf(row.purpose),
      to: address.kind === 'email' ? address.asEntered : address.value,
      code: again.code,
      tenantName: tenant.name,
      name: again.name,
      locale: row.locale,
      channel,
      expiresIn: row.expires_in,
    },
    now,
    decoy: isSilent,
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
    kept: number;
    kept_sends: number;
    resent: boolean;
    now: Date;
  };
  const [result] = await withConflictRetry(
    () => sql<Row[]>`
      with budget as (${context.budgets.takeSend(sql, { tenantId: tenant.id, ...address, takenBy, kept: ownersShare(sql, tenant, clues, now), now })}),
        resent as (${context.verifications.resend(sql, tenant.id, row.id, channel, now)}),
        message as (${queued.insert}),
        audited as (${audited})
      select taken, sent_at, failed_at, failures_in_a_row, kept, kept_sends, ${now} as now, exists (select from resent) as resent
      from budget`,
  );
  if (!result) throw new Error('the resend statement gave no row');
  const { sent_at: sentAt, failed_at: failedAt, failures_in_a_row: failuresInARow } = result;
  const state = {
    sentAt,
    failedAt,
    failuresInARow,
    kept: result.kept,
    keptSends: result.kept_sends,
    now: result.now,
  };
  if (!result.taken || !result.resent || isSilent) void giveTollBack(context, { tenant, address, channel });
  if (!result.taken) return context.budgets.explainSend(state);
  if (!result.resent) return refuse('VERIFICATION_NOT_FOUND');
  if (!isSilent) context.delivery.dispatch(database, queued);
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
