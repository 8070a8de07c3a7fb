import { awaitCode } from '../chats/chats.ts';
import type { Sql } from '../db/database.ts';
import { type ProofWay, type Refused, refuse, refuseField } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHolder, findUser, lockHolder } from '../users/users.ts';
import { chooseChannel } from './address.ts';
import { keyOfWay, waysOf } from './ask-second-proof.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { login } from './login.ts';
import { chooseLocale, issueCode, type VerificationSent } from './send-verification.ts';
import { type ProvingChat, signInChat } from './prove-in-chat.ts';
import type { ProofSource, SignInInput } from './sign-in-statement.ts';
import type { SignedIn } from './signed-in.ts';
import { takeSend } from './take-send.ts';
import { signInBy } from './verify-code.ts';

export interface SecondProofInput extends Pick<SignInInput, 'device' | 'style'> {
  /** What SECOND_PROOF_REQUIRED carried. */
  token: string;
  identity_id?: string;
  channel?: string;
  locale?: string;
  password?: string;
  new_account?: boolean;
  /** Instead of naming it: the key of a way that the refusal named. Never from a request. */
  way?: string;
}

/**
 * Goes on from a proved number whose account lay idle (S35): sends a code to another address of that account, which
 * signs in by it as ever; compares its password; or leaves the account to whoever had the number before, and begins a
 * new one. The proof of the number carries this for ten minutes, and makes one account at most.
 * @param chat where it is done, if it is one: the code is typed there, and the account's chat is that one from then on
 */
export async function secondProof(
  context: SignInContext,
  input: SecondProofInput,
  clues: RequestClues,
  chat?: ProvingChat,
): Promise<VerificationSent | SignedIn | Refused> {
  const named = context.verifications.readSecondProofToken(input.token, context.tenants.all());
  if (!named) return refuse('TOKEN_INVALID');
  const { tenant, verificationId } = named;
  if (clues.tenantHeader !== undefined && clues.tenantHeader !== tenant.slug) return refuse('TOKEN_INVALID');
  const database = context.databaseOf(tenant.id);
  const claims = { tenantId: tenant.id, verificationId };
  const proof = await context.verifications.findResettable(database, claims);
  if (!proof) return refuse('TOKEN_INVALID');
  if (!proof.is_fresh) return refuse('TOKEN_EXPIRED', { next_action: 'REQUEST_CODE' });
  const holder = await findPasswordHolder(database, tenant.id, proof);
  const user = holder && (await findUser(database, tenant.id, holder.id));
  if (!user) return refuse('TOKEN_INVALID');
  const ways = await waysOf(context, database, tenant, user, proof.purpose === 'recover');
  const { password, new_account: newAccount, identity_id: identityId } = wantedOf(input, ways);
  if ([identityId, password, newAccount].filter((one) => one !== undefined).length !== 1) {
    return refuseField('/', 'Give exactly one of identity_id, password or new_account.');
  }
  const own = { ...clues, tenantHeader: tenant.slug };
  const offers = (method: ProofWay['method']): boolean => ways.some((way) => way.method === method);
  if (newAccount) {
    if (!offers('new_account')) return refuseField('/new_account', 'is no way here');
    return beginAnew(context, tenant, verificationId, proof, input, clues, chat);
  }
  if (password !== undefined) {
    if (!offers('password')) return refuseField('/password', 'is no way here');
    return login(context, { phone: proof.value, password, ...howOf(input) }, own);
  }
  const identity = user.identities.find(({ id }) => id === identityId);
  if (!identity || !ways.some((way) => way.identity_id === identity.id)) {
    return refuse('NOT_FOUND', {}, 'The account has no such address.');
  }
  const { kind, value, as_entered: asEntered } = identity;
  const address = { kind, value, asEntered };
  const chosen = chooseChannel(tenant, address, input.channel, context.delivery);
  if (!chosen.ok) return chosen;
  const { channel } = chosen;
  const limited = await takeSend(context, { tenant, address, channel }, own);
  if (limited) return limited;
  const locale = chooseLocale(tenant, input.locale, clues);
  const isKnown = chat !== undefined;
  const code = { tenant, address, purpose: 'sign_in' as const, channel, locale, userId: null, isKnown };
  const alongside = chat && ((sql: Sql) => awaitCode(sql, tenant.id, chat.chatId));
  return issueCode(context, { ...code, ...(alongside ? { alongside } : {}) }, own);
}

function wantedOf(
  input: SecondProofInput,
  ways: readonly ProofWay[],
): Pick<SecondProofInput, 'identity_id' | 'password' | 'new_account'> {
  const way = input.way === undefined ? undefined : ways.find((one) => keyOfWay(one) === input.way);
  if (!way) return input;
  if (way.method === 'new_account') return { new_account: true };
  return way.identity_id === undefined ? {} : { identity_id: way.identity_id };
}

async function beginAnew(
  context: SignInContext,
  tenant: Tenant,
  verificationId: string,
  address: { kind: string; value: string },
  input: SecondProofInput,
  clues: RequestClues,
  chat: ProvingChat | undefined,
): Promise<SignedIn | Refused> {
  const proof: ProofSource = {
    fragment: (sql, now) =>
      context.verifications.spendProof(sql, { tenantId: tenant.id, verificationId }, now),
    lock: (sql) => lockHolder(sql, tenant.id, sql`select ${address.kind}::text, ${address.value}::text`),
    amr: ['otp'],
    byHandle: true,
    takesNumber: true,
  };
  if (chat) return signInChat(context, chat, proof, {}, clues);
  const outcome = await signInBy(context, tenant, proof, howOf(input), clues);
  return outcome && !('resetToken' in outcome) ? outcome : refuse('TOKEN_INVALID');
}

function howOf({ device, style }: SecondProofInput): Pick<SecondProofInput, 'device' | 'style'> {
  return { ...(device ? { device } : {}), ...(style ? { style } : {}) };
}
