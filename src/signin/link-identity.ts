import { type Refused, refuse } from '../kernel/errors.ts';
import type { Access } from '../sessions/sessions.ts';
import { findHolder, findUser } from '../users/users.ts';
import { type AddressFields, chooseChannel, locateAddress, refuseNewAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { inEvenTime } from './even-time.ts';
import { mayTellOpenly } from './openness.ts';
import { requireProof } from './require-proof.ts';
import { chooseLocale, issueCode, type VerificationSent } from './send-verification.ts';
import { takeSend } from './take-send.ts';

export interface LinkIdentityInput extends AddressFields {
  /** The id of the account's address that the new one takes the place of, once it is proved. */
  replaces?: string;
  channel?: string;
  locale?: string;
}

const MOST_IDENTITIES = 10;

/**
 * Begins to add an address to the account, or to put it in another's place: sends a code there, to be finished by
 * verify-code with the same Bearer. Until the new address is proved nothing of the account has changed (S33).
 */
export async function linkIdentity(
  context: SignInContext,
  access: Access,
  input: LinkIdentityInput,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const beginning = beginLink(context, access, input, clues);
  // An address that is taken is found a little sooner or later than one that is free (S22).
  return access.tenant.policy.errorDetail === 'explicit' ? beginning : inEvenTime(beginning);
}

async function beginLink(
  context: SignInContext,
  access: Access,
  input: LinkIdentityInput,
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  // 1. A recent proof, and an address that may be linked here.
  const { tenant } = access;
  const unproved = await requireProof(context, access, 'address');
  if (unproved) return unproved;
  const { replaces, channel: wish, locale, ...fields } = input;
  const located = locateAddress(context.tenants, fields, { ...clues, tenantHeader: tenant.slug });
  if (!located.ok) return located;
  const { address } = located;
  const closed = refuseNewAddress(tenant, address);
  if (closed) return closed;

  // 2. Whose is it now. Where the tenant tells nothing, its owner learns it after the proof, and nobody else does.
  const database = context.databaseOf(tenant.id);
  const [user, holder] = await Promise.all([
    findUser(database, tenant.id, access.userId),
    findHolder(database, tenant.id, address),
  ]);
  if (!user || user.is_disabled) return refuse('SESSION_ENDED');
  if (replaces !== undefined && !user.identities.some((identity) => identity.id === replaces)) {
    return refuse('NOT_FOUND', {}, 'Your account has no such address.');
  }
  if (holder?.user_id === user.id && holder.is_verified) {
    return refuse('ALREADY_REGISTERED', {}, 'This address belongs to your account already.');
  }
  if (user.identities.length >= MOST_IDENTITIES && replaces === undefined && holder?.user_id !== user.id) {
    return refuse('RATE_LIMITED', {}, 'An account may have ten addresses. Remove one first.');
  }
  if (holder && holder.user_id !== user.id && (await mayTellOpenly(context, tenant, clues))) {
    return refuse('ALREADY_REGISTERED', {}, 'This address belongs to another account.');
  }

  // 3. The code goes to the new address.
  const chosen = chooseChannel(tenant, address, wish, context.delivery);
  if (!chosen.ok) return chosen;
  const limited = await takeSend(context, { tenant, address, channel: chosen.channel, isKnown: true }, clues);
  if (limited) return limited;
  return issueCode(
    context,
    {
      tenant,
      address,
      purpose: 'link',
      channel: chosen.channel,
      locale: chooseLocale(tenant, locale, clues),
      userId: user.id,
      of: { sessionId: access.sessionId, replacesIdentityId: replaces ?? null },
      name: user.first_name,
    },
    clues,
  );
}
