import { recordEvent } from '../audit/audit.ts';
import { isUniqueViolation, withConflictRetry } from '../db/database.ts';
import { type Issue, type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { overloaded } from '../passwords/passwords.ts';
import {
  changeRegistration,
  findWaitingRegistrations,
  keepRegistration,
  type RegistrationData,
  type RegistrationFields,
  readRegistration,
} from '../registrations/registrations.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHolder } from '../users/users.ts';
import type { WaitingRow } from '../verification/verification.ts';
import { type Address, type AddressFields, chooseChannel, locateAddress, maskAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { mayTellOpenly } from './openness.ts';
import { chooseLocale, issueCode, takeCallerSend, type VerificationSent } from './send-verification.ts';

export interface RegisterInput extends AddressFields, RegistrationFields {
  password?: string;
  /** The handle of an earlier registration that this one changes. */
  verification_id?: string;
  channel?: string;
  locale?: string;
  tenant?: string;
}

/** A code is on its way to the address that was registered. */
export interface Registered extends VerificationSent {
  address: Address;
}

/** Everything a registration statement needs. */
interface Registration {
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

/**
 * Keeps what somebody typed at sign-up and sends the code that will prove its address. No account is made and no
 * address is reserved: whoever proves it first gets it, and what others typed goes.
 *
 * The same holder (the same handle, or the same password) changes what waits. Anybody else gets a row, a handle and a
 * code of their own; inside the cool-down that code follows when it ends.
 */
export async function register(
  context: SignInContext,
  input: RegisterInput,
  clues: RequestClues,
): Promise<Registered | Refused> {
  // 1. Whose tenant, which address, by which way.
  const located = locateAddress(context.tenants, input, clues);
  if (!located.ok) return located;
  const { tenant, address } = located;
  if (address.kind === 'telegram' || !tenant.policy.identifiers.includes(address.kind)) {
    return refuseField(`/${address.kind}`, 'cannot be registered here');
  }
  if (tenant.policy.registration === 'closed') return refuse('REGISTRATION_CLOSED');
  const chosen = chooseChannel(tenant, address.kind, input.channel, context.delivery.offers);
  if (!chosen.ok) return chosen;

  // 2. What was typed: everything that is wrong is told at once, before anything is spent.
  const read = readRegistration(tenant, input);
  const issues = read.ok ? [] : read.issues;
  const weak = await newPasswordIssues(context, tenant, address, input);
  if (weak.required) issues.push(weak.required);
  if (!read.ok || issues.length > 0) return refuse('INVALID_REQUEST', { issues });
  if (weak.issues.length > 0) return refuse('WEAK_PASSWORD', { issues: weak.issues });

  // 3. The caller's budget, then the password's hash: nothing of it is stored before.
  if (input.password !== undefined && !context.passwords.hasRoom)
    return refuse('OVERLOADED', { retry_after: 1 });
  const limited = await takeCallerSend(context, clues);
  if (limited) return limited;
  const database = context.databaseOf(tenant.id);
  const holder = await findPasswordHolder(database, tenant.id, address);
  const isTaken = holder !== undefined && holder.address_verified;
  if (isTaken && (await mayTellOpenly(context, tenant, clues)))
    return refuse('ALREADY_REGISTERED', { next_action: 'SIGN_IN' });
  const passwordHash = await hashWaiting(context, tenant, address, input.password);
  if (passwordHash === overloaded) return refuse('OVERLOADED', { retry_after: 1 });

  // 4. One statement keeps the registration and queues its code.
  const locale = chooseLocale(tenant, input.locale, clues);
  const registration = {
    tenant,
    address,
    data: read.data,
    passwordHash,
    channel: chosen.channel,
    locale,
    name: isTaken ? holder.first_name : read.data.first_name,
    isTaken,
  };
  const own = await findOwn(context, registration, input.verification_id);
  const sent = await keep(context, registration, own, input.verification_id, clues);
  return sent.ok ? { ...sent, address } : sent;
}

/** What speaks against the password; `required`: the tenant asks for one and none came. */
async function newPasswordIssues(
  context: SignInContext,
  tenant: Tenant,
  address: Address,
  input: RegisterInput,
): Promise<{ required?: Issue; issues: Issue[] }> {
  const { policy } = tenant;
  if (input.password === undefined) {
    return policy.requiredFields.includes('password')
      ? { required: { path: '/password', message: 'is required' }, issues: [] }
      : { issues: [] };
  }
  if (!policy.passwords.enabled) {
    return { required: { path: '/password', message: 'Passwords are switched off here.' }, issues: [] };
  }
  const about = [
    address.value,
    input.name,
    input.first_name,
    input.last_name,
    input.username,
    tenant.name,
    tenant.slug,
  ];
  return { issues: await context.passwords.issues(input.password, policy.passwords, about, '/password') };
}

async function hashWaiting(
  context: SignInContext,
  tenant: Tenant,
  address: Address,
  password: string | undefined,
): Promise<string | null | typeof overloaded> {
  if (password === undefined) return null;
  return context.passwords.hashWaiting(password, {
    tenantId: tenant.id,
    kind: address.kind,
    value: address.value,
  });
}

/** The caller's own waiting registration, and the code that still lives for it. */
interface Own {
  id: string;
  live: WaitingRow | undefined;
  byHandle: boolean;
}

async function findOwn(
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

async function keep(
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
    verificationId: live.is_decoy ? null : live.id,
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
      with budget as (${context.budgets.takeSend(sql, { tenantId: tenant.id, ...address, takenBy: context.newId(), now })}),
        changed as (${changeRegistration(sql, row)}),
        taken_up as (${takenUp.update}),
        message as (${queued.insert}),
        audited as (${audited})
      select taken, sent_at, failed_at, failures_in_a_row, ${now} as now,
        exists (select from taken_up) and exists (select from changed) as taken_up from budget`,
  );
  if (!result?.taken_up) return undefined;
  const state = {
    sentAt: result.sent_at,
    failedAt: result.failed_at,
    failuresInARow: result.failures_in_a_row,
    now: result.now,
  };
  if (result.taken) context.delivery.dispatch(database, queued);
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
