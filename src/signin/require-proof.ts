import type { Sql } from '../db/database.ts';
import { type ProofWay, type Refused, refuse } from '../kernel/errors.ts';
import { findLastMove } from '../chats/chats.ts';
import { type Access, type ProofMethod, readProofs } from '../sessions/sessions.ts';
import { findUser } from '../users/users.ts';
import { chooseChannel, maskAddress } from './address.ts';
import { HOLD_AFTER_MOVE_SECONDS } from './chat-authorization.ts';
import type { SignInContext } from './context.ts';
import { allowsChange, helps, PROOF_AGE_SECONDS, type SensitiveChange } from './step-up-policy.ts';

/**
 * Asks for a recent proof in this very session before a sensitive change (S32): a stolen token alone changes nothing.
 * @param sql the transaction of the change, where there is one: the session then cannot end before it commits
 * @returns the refusal, with the ways that would lead on; undefined where the change may be made
 */
export async function requireProof(
  context: SignInContext,
  access: Access,
  change: SensitiveChange,
  sql?: Sql,
): Promise<Refused | undefined> {
  const { tenant, userId } = access;
  const database = context.databaseOf(tenant.id);
  const proofs = await readProofs(sql ?? database.sql, {
    tenantId: tenant.id,
    sessionId: access.sessionId,
    ageSeconds: PROOF_AGE_SECONDS,
    now: database.now(),
  });
  if (!proofs) return refuse('SESSION_ENDED');
  if (allowsChange(change, proofs.role, proofs.methods)) {
    const mayBeHeld = change === 'address' || change === 'password';
    return mayBeHeld ? heldAfterMove(context, access, proofs.began_at) : undefined;
  }
  const user = await findUser(database, tenant.id, userId);
  const possible: (ProofWay & { method: ProofMethod })[] = (user?.identities ?? []).flatMap((identity) => {
    if (identity.verified_at === null) return [];
    const chosen = chooseChannel(tenant, identity, undefined, context.delivery);
    if (!chosen.ok) return [];
    const destination = maskAddress(identity);
    return [{ method: identity.kind, identity_id: identity.id, channel: chosen.channel, destination }];
  });
  if (proofs.has_password && tenant.policy.passwords.enabled) possible.push({ method: 'password' });
  const methods: ProofMethod[] = possible.map((way) => way.method);
  const ways = possible.filter((way) => helps(change, proofs.role, way.method, proofs.methods, methods));
  if (ways.length > 0) return refuse('STEP_UP_REQUIRED', { next_action: 'STEP_UP', ways });
  return refuse(
    'STEP_UP_REQUIRED',
    { next_action: 'ASK_ADMINISTRATOR', ways },
    'This change wants a stronger proof than this account can give. Ask whoever runs this service.',
  );
}

/**
 * Whoever gets hold of a number moves the account to a chat of theirs first. For a day after such a move addresses and
 * password are changed from sessions that began before it, so that the earlier chat has time to undo it (C7).
 * @param beganAt of the session that asks; undefined: none does
 */
export async function heldAfterMove(
  context: SignInContext,
  { tenant, userId }: Pick<Access, 'tenant' | 'userId'>,
  beganAt: Date | undefined,
): Promise<Refused | undefined> {
  const move = await findLastMove(context.databaseOf(tenant.id), tenant.id, userId);
  const left = HOLD_AFTER_MOVE_SECONDS - (move?.seconds_ago ?? Number.POSITIVE_INFINITY);
  if (!move || left <= 0) return undefined;
  // A shared session is as old as its first device, and tells nothing of the one that asks.
  const isAlone = tenant.policy.sessionSharing === 'per_device';
  if (beganAt !== undefined && beganAt < move.moved_at && isAlone) return undefined;
  return refuse('STEP_UP_REQUIRED', { next_action: 'WAIT', retry_after: Math.ceil(left), ways: [] }, HELD);
}

const HELD =
  'The account moved to another Telegram chat a short time ago. This change waits for a day, or is made where you were signed in before.';
