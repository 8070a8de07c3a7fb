import type { Database } from '../db/database.ts';
import { type ProofWay, type Refused, refuse } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHash, findPasswordHolder, findUser, type UserRow } from '../users/users.ts';
import { RESET_LIFE_SECONDS } from '../verification/verification.ts';
import { chooseChannel, maskAddress } from './address.ts';
import type { SignInContext } from './context.ts';
import type { VerifiedRow } from './sign-in-statement.ts';

/** The first step of a second proof, refused for now: what the number alone could not open, and what leads on. */
export async function askSecondProof(
  context: SignInContext,
  tenant: Tenant,
  row: VerifiedRow,
): Promise<Refused> {
  const isRecovery = row.purpose === 'recover';
  if (row.idle_verdict === 'refuse') {
    return isRecovery && tenant.policy.registration === 'open'
      ? refuse('SECOND_PROOF_REQUIRED', { next_action: 'SIGN_IN', ways: [] }, NUMBER_BEGINS_ANEW)
      : refuse('SECOND_PROOF_REQUIRED', { next_action: 'ASK_ADMINISTRATOR', ways: [] }, ASK);
  }
  const database = context.databaseOf(tenant.id);
  const holder = await findPasswordHolder(database, tenant.id, row);
  const user = holder && (await findUser(database, tenant.id, holder.id));
  const ways = user ? await waysOf(context, database, tenant, user, isRecovery) : [];
  return refuse('SECOND_PROOF_REQUIRED', {
    next_action: 'SECOND_PROOF',
    ways,
    second_proof_token: context.verifications.secondProofToken(tenant.id, row.verification_id),
    expires_in: RESET_LIFE_SECONDS,
  });
}

const ASK =
  'This account has not been used for a long time, and its number may be somebody else’s by now. Ask whoever runs this service.';
const NUMBER_BEGINS_ANEW =
  'This account has not been used for a long time, and its number may be somebody else’s by now. Sign in with the number: it begins a new account.';

/** How this account can be proved in one more way than its number. */
export async function waysOf(
  context: SignInContext,
  database: Database,
  tenant: Tenant,
  user: UserRow,
  isRecovery: boolean,
): Promise<ProofWay[]> {
  const ways: ProofWay[] = user.identities.flatMap((identity) => {
    if (identity.verified_at === null || identity.kind === 'phone') return [];
    const chosen = chooseChannel(tenant, identity, undefined, context.delivery);
    if (!chosen.ok) return [];
    const destination = maskAddress(identity);
    return [{ method: identity.kind, identity_id: identity.id, channel: chosen.channel, destination }];
  });
  if (isRecovery) return ways;
  const { passwords, registration } = tenant.policy;
  if (passwords.enabled && (await findPasswordHash(database, tenant.id, user.id)) !== null) {
    ways.push({ method: 'password' });
  }
  if (registration === 'open') ways.push({ method: 'new_account' });
  return ways;
}

/** Names a way in few characters, as a button of the bot carries it. */
export function keyOfWay({ method, identity_id: identityId }: ProofWay): string {
  return identityId?.slice(-8) ?? method;
}
