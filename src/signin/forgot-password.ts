import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHolder } from '../users/users.ts';
import {
  type Address,
  type AddressFields,
  chooseChannel,
  locateAddress,
  refuseIdentifier,
} from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { inEvenTime } from './even-time.ts';
import { mayTellOpenly } from './openness.ts';
import { chooseLocale, issueCode, type VerificationSent } from './send-verification.ts';
import { giveTollBack, takeSend } from './take-send.ts';

export interface ForgotPasswordInput extends Pick<AddressFields, 'phone' | 'email'> {
  channel?: string;
  locale?: string;
  tenant?: string;
}

/** A code is on its way to the address, or the answer looks as if it were. */
export interface RecoveryStarted extends VerificationSent {
  address: Address;
}

/**
 * Sends the code that proves the address of a forgotten password. Same counters as a sign-in (S21). Where the tenant
 * does not answer explicitly, an address without an account gets the same answer, with a verification no code fits.
 */
export async function forgotPassword(
  context: SignInContext,
  input: ForgotPasswordInput,
  clues: RequestClues,
): Promise<RecoveryStarted | Refused> {
  const located = locateAddress(context.tenants, input, clues);
  if (!located.ok) return located;
  const { tenant, address } = located;
  const closed = refuseIdentifier(tenant, address.kind);
  if (closed) return closed;
  if (!tenant.policy.passwords.enabled) return refuseField('/', 'Passwords are switched off here.');
  const chosen = chooseChannel(tenant, address, input.channel, context.delivery);
  if (!chosen.ok) return chosen;
  const limited = await takeSend(context, { tenant, address, channel: chosen.channel }, clues);
  if (limited) return limited;
  const recovery = startRecovery(
    context,
    { tenant, address, channel: chosen.channel, locale: input.locale },
    clues,
  );
  return tenant.policy.errorDetail === 'explicit' ? recovery : inEvenTime(recovery);
}

interface Recovery {
  tenant: Tenant;
  address: Address;
  channel: string;
  locale: string | undefined;
}

/** Finds whose password it is and sends the code, or does as if. */
async function startRecovery(
  context: SignInContext,
  { tenant, address, channel, locale }: Recovery,
  clues: RequestClues,
): Promise<RecoveryStarted | Refused> {
  const holder = await findPasswordHolder(context.databaseOf(tenant.id), tenant.id, address);
  const isPossible = holder !== undefined && !holder.is_disabled;
  if (!isPossible && (await mayTellOpenly(context, tenant, clues))) {
    await giveTollBack(context, { tenant, address, channel });
    return refuse(holder ? 'ACCOUNT_DISABLED' : 'ACCOUNT_NOT_FOUND');
  }
  const sent = await issueCode(
    context,
    {
      tenant,
      address: holder?.as_entered ? { ...address, asEntered: holder.as_entered } : address,
      purpose: 'recover',
      channel,
      locale: chooseLocale(tenant, locale, clues),
      userId: isPossible ? holder.id : null,
      name: holder?.first_name ?? null,
      ...(isPossible ? {} : { decoy: 'silent' as const }),
    },
    clues,
  );
  return sent.ok ? { ...sent, address } : sent;
}
