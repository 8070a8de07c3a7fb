import { recordEvent } from '../audit/audit.ts';
import { isUniqueViolation, withConflictRetry } from '../db/database.ts';
import type { Refused } from '../kernel/errors.ts';
import {
  changeRegistration,
  findWaitingRegistrations,
  keepRegistration,
  type RegistrationData,
} from '../registrations/registrations.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { WaitingRow } from '../verification/verification.ts';
import { type Address, maskAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { ownersShare } from './owner.ts';
import { issueCode, type VerificationSent } from './send-verification.ts';
import { giveTollBack } from './take-send.ts';

/** Everything a registration statement needs. */
export interface Registration {
  tenant: Tenant;
  address: Address;
  data: RegistrationData;
  passwordHash: string | null;
  channel: string;
  locale: string;
  /** How the message greets. */
  name: string | null;
  /**
   * The address has an account and the caller may not learn it: everything is written and answered as for any other,
   * only that no code fits, and that the message tells the owner of the account.
   */
  isTaken: boolean;
}

const REGISTRATIONS_READ = 5;

/** The caller's own waiting registration, and the code that still lives for it. */
export interface Own {
  id: string;
  live: WaitingRow | undefined;
  byHandle: boolean;
}

/** The waiting registration of this holder: by the handle, else by the password. */
export async function findOwn(
  context: SignInContext,
  { tenant, address, passwordHash }: Registration,
  verificationId: string | undefined,
): Promise<Own | undefined> {
  const database = context.databaseOf(tenant.id);
  const place = { tenantId: tenant.id, kind: address.kind, value: address.value };
  if (verificationId !== undefined) {
    const row = await context.verifications.findByHandle(database, tenant.id, verificationId);
    const isOurs = row?.purpose === 'register' && row.kind === address.kind && row.value === address.value;
    // A handle that was given to somebody who did not type the password does not make its holder.
    if (isOurs && row.vouches_password && row.state !== 'used' && row.pending_registration_id !== null) {
      const live = row.state === 'live' ? row : undefined;
      return { id: row.pending_registration_id, live, byHandle: true };
    }
  }
  if (passwordHash === null) return undefined;
  const waiting = await findWaitingRegistrations(database, place, REGISTRATIONS_READ);
  const same = waiting.find((registration) => registration.password_hash === passwordHash);
  if (!same) return undefined;
  const rows = await context.verifications.findByAddress(database, { ...place, purposes: ['register'] });
  const live = rows.find(
    (row) => row.state === 'live' && row.vouches_password && row.pending_registration_id === same.id,
  );
  return { id: same.id, live, byHandle: false };
}

/** Writes it and sends its code, changing the caller's own where there is one. */
export async function keep(
  context: SignInContext,
  registration: Registration,
  own: Own | undefined,
  verificationId: string | undefined,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  try {
    if (own?.live) {
      const again = await keepAgain(context, registration, { ...own, live: own.live }, verificationId, clues);
      if (again) return again;
    }
    return await keepWithCode(context, registration, own?.byHandle ? own.id : undefined, clues);
  } catch (fault) {
    // The new password is the one of another registration that waits here: that one is theirs as well.
    if (!isUniqueViolation(fault, 'pending_registrations_holder')) throw fault;
    return keepWithCode(context, registration, undefined, clues);
  }
}

/** A registration with a code of its own. */
function keepWithCode(
  context: SignInContext,
  { tenant, address, data, passwordHash, channel, locale, name, isTaken }: Registration,
  ownId: string | undefined,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const row = { tenantId: tenant.id, kind: address.kind, value: address.value, data, passwordHash };
  return issueCode(
    context,
    {
      tenant,
      address,
      purpose: 'register',
      channel,
      locale,
      userId: null,
      name,
      registration: {
        keep: (sql, now) =>
          ownId === undefined
            ? keepRegistration(sql, { ...row, id: context.newId(), now })
            : changeRegistration(sql, { ...row, id: ownId, now }),
      },
      vouchesPassword: true,
      patient: true,
      ...(isTaken ? { decoy: 'already_registered' as const } : {}),
    },
    clues,
  );
}

/** The holder changes what waits while its code lives: the same code, sent once more only where that is allowed. */
async function keepAgain(
  context: SignInContext,
  { tenant, address, data, passwordHash, channel, locale, name }: Registration,
  own: Own & { live: WaitingRow },
  verificationId: string | undefined,
  clues: RequestClues,
): Promise<VerificationSent | Refused | undefined> {
  const { live } = own;
  const isTest = live.test_entry !== null;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const takenUp = context.verifications.takeUp(sql, {
    tenantId: tenant.id,
    row: live,
    channel,
    newHandle: !own.byHandle,
    now,
  });
  const queued = context.delivery.queue(sql, {
    tenantId: tenant.id,
    verificationId: live.is_decoy || isTest ? null : live.id,
    tollsTaken: true,
    content: {
      template: live.is_decoy ? 'already_registered' : 'verify_sign_up',
      to: address.kind === 'email' ? address.asEntered : address.value,
      code: context.verifications.codeOf(tenant.id, live) ?? null,
      tenantName: tenant.name,
      name,
      locale,
      channel,
      expiresIn: live.expires_in,
    },
    now,
    decoy: isTest,
    from: sql`taken_up, budget where budget.taken`,
  });
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when budget.taken then 'verification.resent' else 'verification.refused' end`,
    actor: sql`'anonymous'`,
    subject: sql`${`${address.kind}:${address.value}`}`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('channel', ${channel}::text, 'purpose', 'register', 'registration', 'changed')`,
    from: sql`budget`,
  });
  type Row = {
    taken: boolean;
    taken_up: boolean;
    sent_at: Date[];
    failed_at: Date[];
    failures_in_a_row: number;
    kept: number;
    kept_sends: number;
    now: Date;
  };
  const row = {
    tenantId: tenant.id,
    id: own.id,
    kind: address.kind,
    value: address.value,
    data,
    passwordHash,
    now,
  };
  const [result] = await withConflictRetry(
    () => sql<Row[]>`
      with budget as (${context.budgets.takeSend(sql, { tenantId: tenant.id, ...address, takenBy: context.newId(), kept: ownersShare(sql, tenant, clues, now), now })}),
        changed as (${changeRegistration(sql, row)}),
        taken_up as (${takenUp.update}),
        message as (${queued.insert}),
        audited as (${audited})
      select taken, sent_at, failed_at, failures_in_a_row, kept, kept_sends, ${now} as now,
        exists (select from taken_up) and exists (select from changed) as taken_up from budget`,
  );
  if (!result?.taken_up) return undefined;
  if (!result.taken || isTest) void giveTollBack(context, { tenant, address, channel });
  const state = {
    sentAt: result.sent_at,
    failedAt: result.failed_at,
    failuresInARow: result.failures_in_a_row,
    kept: result.kept,
    keptSends: result.kept_sends,
    now: result.now,
  };
  if (result.taken && !isTest) context.delivery.dispatch(database, queued);
  const refusal = result.taken ? undefined : context.budgets.explainSend(state);
  return {
    ok: true,
    tenant,
    verificationId: takenUp.verificationId ?? verificationId,
    channel,
    destination: maskAddress(address),
    codeLength: live.code_length,
    expiresIn: live.expires_in,
    resendIn: refusal?.details.resend_in ?? refusal?.details.retry_after ?? context.budgets.resendIn(),
    attemptsLeft: Math.min(live.attempts_left, context.budgets.wrongCodesLeft(state)),
  };
}
