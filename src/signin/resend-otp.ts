import { type Refused, refuse } from '../kernel/errors.ts';
import { findWaitingRegistrations } from '../registrations/registrations.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHolder } from '../users/users.ts';
import type { WaitingRow } from '../verification/verification.ts';
import {
  type Address,
  type AddressFields,
  chooseChannel,
  locateAddress,
  refuseNewAddress,
} from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { inEvenTime } from './even-time.ts';
import { mayTellOpenly } from './openness.ts';
import { decoyOf, sendAgain } from './send-again.ts';
import { chooseLocale, issueCode, type VerificationSent } from './send-verification.ts';
import { giveTollBack, takeSend } from './take-send.ts';

/** Registrations of one address looked through for the one whose code is sent again. */
const MOST_WAITING_READ = 10;

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
  if (!found) return startAnew(context, input, clues);
  if (!found.ok) return found;
  const { tenant, row, verificationId } = found;
  const address: Address = { kind: row.kind as Address['kind'], value: row.value, asEntered: row.as_entered };
  const chosen = chooseChannel(tenant, address, input.channel, context.delivery);
  if (!chosen.ok) return chosen;
  const limited = await takeSend(context, { tenant, address, channel: chosen.channel }, clues);
  if (limited) return limited;
  const greeted = await findGreeting(context, tenant, row);
  if (!greeted.ok) {
    await giveTollBack(context, { tenant, address, channel: chosen.channel });
    return greeted;
  }
  const { name } = greeted;
  if (row.state === 'live') {
    const code = context.verifications.codeOf(tenant.id, row) ?? null;
    return sendAgain(
      context,
      { tenant, row, address, channel: chosen.channel, code, name, verificationId },
      clues,
    );
  }
  // Begun in a session with a recent proof: it is begun there again, not by whoever holds the handle.
  if (row.session_id !== null) return refuse('CODE_EXPIRED', { next_action: 'START_AGAIN' });
  const { purpose, locale, user_id: userId, pending_registration_id: registrationId } = row;
  const decoy = row.is_decoy ? { decoy: decoyOf(row) } : {};
  const registration = registrationId === null ? {} : { registration: { id: registrationId } };
  // Who asks by the address alone has typed no password: the new handle does not vouch for it.
  const vouchesPassword = verificationId !== undefined && row.vouches_password;
  return issueCode(
    context,
    {
      tenant,
      address,
      purpose,
      channel: chosen.channel,
      locale,
      userId,
      name,
      vouchesPassword,
      ...registration,
      ...decoy,
    },
    clues,
  );
}

/** By which name the person is greeted; a refusal when what waited for the proof is gone. */
async function findGreeting(
  context: SignInContext,
  tenant: Tenant,
  row: WaitingRow,
): Promise<{ ok: true; name: string | null } | Refused> {
  const database = context.databaseOf(tenant.id);
  const address = { tenantId: tenant.id, kind: row.kind, value: row.value };
  if (row.pending_registration_id !== null && !row.is_decoy) {
    const waiting = await findWaitingRegistrations(database, address, MOST_WAITING_READ);
    const registration = waiting.find(({ id }) => id === row.pending_registration_id);
    return registration
      ? { ok: true, name: registration.registration_data.first_name }
      : refuse('VERIFICATION_NOT_FOUND');
  }
  const holder = await findPasswordHolder(database, tenant.id, address);
  return { ok: true, name: holder?.first_name ?? null };
}

/** Codes go to people with an account also where none waits: somebody lost the page they asked from. */
async function startAnew(
  context: SignInContext,
  input: ResendInput,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const located = locateAddress(context.tenants, input, clues);
  if (!located.ok) return located;
  const closed = refuseNewAddress(located.tenant, located.address);
  if (closed) return closed;
  const starting = startFor(context, located, input, clues);
  // Who has an account is looked up one query sooner than who has none.
  return located.tenant.policy.errorDetail === 'explicit' ? starting : inEvenTime(starting);
}

async function startFor(
  context: SignInContext,
  { tenant, address }: { tenant: Tenant; address: Address },
  input: ResendInput,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const place = { tenantId: tenant.id, kind: address.kind, value: address.value };
  const database = context.databaseOf(tenant.id);
  const holder = await findPasswordHolder(database, tenant.id, address);
  const [waiting] = holder ? [] : await findWaitingRegistrations(database, place, 1);
  if (!holder && !waiting && (await mayTellOpenly(context, tenant, clues))) {
    return refuse('VERIFICATION_NOT_FOUND');
  }
  const chosen = chooseChannel(tenant, address, input.channel, context.delivery);
  if (!chosen.ok) return chosen;
  const limited = await takeSend(context, { tenant, address, channel: chosen.channel }, clues);
  if (limited) return limited;
  return issueCode(
    context,
    {
      tenant,
      address,
      purpose: waiting ? 'register' : 'sign_in',
      channel: chosen.channel,
      locale: chooseLocale(tenant, input.locale, clues),
      userId: null,
      name: holder?.first_name ?? waiting?.registration_data.first_name ?? null,
      ...(waiting ? { registration: { id: waiting.id } } : {}),
    },
    clues,
  );
}

type Found = { ok: true; tenant: Tenant; row: WaitingRow; verificationId: string | undefined } | Refused;

/** Undefined: an address was given, and nothing waits for it. */
async function findWaiting(
  context: SignInContext,
  input: ResendInput,
  clues: RequestClues,
): Promise<Found | undefined> {
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
    return row && { ok: true, tenant, row, verificationId: undefined };
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
