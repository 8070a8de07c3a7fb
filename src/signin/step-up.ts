import { recordEvent } from '../audit/audit.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { overloaded } from '../passwords/passwords.ts';
import { type Access, addProof } from '../sessions/sessions.ts';
import { findPasswordHash, findUser, type UserRow } from '../users/users.ts';
import { type Address, chooseChannel } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { countPassword } from './count-password.ts';
import { chooseLocale, issueCode, type VerificationSent } from './send-verification.ts';
import { tellPasswordLockout } from './tell-lockout.ts';
import { takeSend } from './take-send.ts';
import { PROOF_AGE_SECONDS } from './step-up-policy.ts';

export interface StepUpInput {
  identity_id?: string;
  channel?: string;
  locale?: string;
  password?: string;
}

/** The session was proved once more. */
export interface SteppedUp {
  ok: true;
  method: string;
  /** Seconds for which the proof counts. */
  expiresIn: number;
}

/**
 * Proves again who is at a session: sends a code to an address of its own account, to be finished by verify-code with
 * the same Bearer, or compares the password at once.
 */
export async function stepUp(
  context: SignInContext,
  access: Access,
  input: StepUpInput,
  clues: RequestClues,
): Promise<VerificationSent | SteppedUp | Refused> {
  const { tenant } = access;
  const user = await findUser(context.databaseOf(tenant.id), tenant.id, access.userId);
  if (!user || user.is_disabled) return refuse('SESSION_ENDED');
  if (input.password !== undefined) return provePassword(context, access, user, input.password, clues);
  const chosen = chooseIdentity(context, access, user, input);
  if (!chosen.ok) return chosen;
  const limited = await takeSend(
    context,
    { tenant, address: chosen.address, channel: chosen.channel, isKnown: true },
    clues,
  );
  if (limited) return limited;
  return issueCode(
    context,
    {
      tenant,
      address: chosen.address,
      purpose: 'step_up',
      channel: chosen.channel,
      locale: chooseLocale(tenant, input.locale, clues),
      userId: user.id,
      isKnown: true,
      of: { sessionId: access.sessionId, replacesIdentityId: null },
      name: user.first_name,
    },
    clues,
  );
}

type Chosen = { ok: true; address: Address; channel: string } | Refused;

/** The address asked for, else the first that a code can reach; an administrator's mailbox comes last. */
function chooseIdentity(context: SignInContext, access: Access, user: UserRow, input: StepUpInput): Chosen {
  const proved = user.identities.filter((identity) => identity.verified_at !== null);
  const wanted =
    input.identity_id === undefined
      ? proved.toSorted((left, right) => weight(user, left.kind) - weight(user, right.kind))
      : proved.filter((identity) => identity.id === input.identity_id);
  if (wanted.length === 0) return refuse('NOT_FOUND', {}, 'Your account has no such address.');
  let refused: Refused | undefined;
  for (const { kind, value, as_entered: asEntered } of wanted) {
    const chosen = chooseChannel(access.tenant, { kind, value }, input.channel, context.delivery);
    if (chosen.ok) return { ok: true, address: { kind, value, asEntered }, channel: chosen.channel };
    refused ??= chosen;
  }
  return refused ?? refuse('CHANNEL_UNAVAILABLE');
}

function weight(user: UserRow, kind: string): number {
  return kind === 'email' && user.role === 'admin' ? 1 : 0;
}

/** Counted before it is compared, and with the sign-ins of the same person: no second purse of guesses. */
export async function provePassword(
  context: SignInContext,
  access: Access,
  user: UserRow,
  password: string,
  clues: RequestClues,
): Promise<SteppedUp | Refused> {
  const { tenant } = access;
  const database = context.databaseOf(tenant.id);
  if (!tenant.policy.passwords.enabled) return refuseField('/password', 'Passwords are switched off here.');
  if (!context.passwords.isPossible(password))
    return refuseField('/password', 'may have 1 to 256 characters');
  if (!context.passwords.hasRoom) return refuse('OVERLOADED', { retry_after: 1 });
  const [identity] = user.identities;
  const counted = await countPassword(context, {
    tenant,
    identity: identity ?? { kind: 'user', value: user.id },
    isKnown: true,
  });
  if (!counted.ok) return counted;
  const { attemptsLeft, giveBack } = counted;
  const hash = await findPasswordHash(database, tenant.id, user.id);
  const fits = await context.passwords.fits(password, hash);
  if (fits === overloaded) {
    await giveBack();
    return refuse('OVERLOADED', { retry_after: 1 });
  }
  if (fits) await giveBack();
  const proved = await recordPassword(context, access, fits, clues);
  if (!fits && identity && attemptsLeft === 0) tellPasswordLockout(context, tenant, identity, clues);
  if (!fits) return refuse('INVALID_CREDENTIALS', { attempts_left: attemptsLeft });
  return proved ? { ok: true, method: 'password', expiresIn: PROOF_AGE_SECONDS } : refuse('SESSION_ENDED');
}

async function recordPassword(
  context: SignInContext,
  access: Access,
  fits: boolean,
  clues: RequestClues,
): Promise<boolean> {
  const { tenant, sessionId, userId } = access;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`${fits ? 'session.proved' : 'password.wrong'}::text`,
    actor: sql`${`user:${userId}`}::text`,
    subject: sql`${`session:${sessionId}`}::text`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('method', 'password')`,
    from: fits ? sql`proved` : sql`(select 1) once`,
  });
  const rows = await sql`
    with proved as (${addProof(sql, {
      tenantId: tenant.id,
      sessionId,
      method: sql`'password'`,
      now,
      from: sql`(select 1 where ${fits}::boolean) fitting`,
    })}), audited as (${audited})
    select id from proved`;
  return rows.length > 0;
}
