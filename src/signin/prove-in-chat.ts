import { awaitCode, findChallenge } from '../chats/chats.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { lockHolder } from '../users/users.ts';
import { readCode } from '../verification/verification.ts';
import { type AddressFields, chooseChannel, locateAddress, refuseIdentifier } from './address.ts';
import { chatToLink } from './chat-link.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { type ContactMessage, type ContactRefusal, readOwnContact } from './own-contact.ts';
import { chooseLocale, issueCode, type VerificationSent } from './send-verification.ts';
import { takeSend } from './take-send.ts';
import type { SignedIn } from './signed-in.ts';
import type { ProofSource, SignInInput } from './sign-in-statement.ts';
import { codeAmong, signInBy } from './verify-code.ts';

/** A private chat, by its bot: ours, or one that runs elsewhere and has an API key. */
export interface ProvingChat {
  tenant: Tenant;
  /** Of a private chat, hence also the Telegram user's. */
  chatId: string;
  /** What the device is called until its owner names it. */
  deviceName?: string | undefined;
}

/** Somebody signed in by a proof made in a chat, which is the account's one chat from then on. */
export interface SignedInChat extends SignedIn {
  chat: {
    chatId: string;
    /** The chat that it was before, which may undo the move for 72 hours. */
    movedFrom: string | undefined;
    moveId: string | undefined;
  };
}

/** Sends a code to a number that was typed in a chat. It can be used in that chat only. */
export async function sendCodeToChat(
  context: SignInContext,
  chat: ProvingChat,
  input: { phone: string; channel?: string; locale?: string },
  clues: RequestClues,
): Promise<VerificationSent | Refused> {
  const { tenant, chatId } = chat;
  const located = locatePhone(context, tenant, input.phone, clues);
  if (!located.ok) return located;
  // Not to a chat unless it is asked for: the one that the number has now may be somebody else's by now.
  const chosen = chooseChannel(tenant, located.address, input.channel ?? 'sms', context.delivery);
  if (!chosen.ok) return chosen;
  const limited = await takeSend(
    context,
    { tenant, address: located.address, channel: chosen.channel, isKnown: true },
    clues,
  );
  if (limited) return limited;
  return issueCode(
    context,
    {
      tenant,
      address: located.address,
      purpose: 'sign_in',
      channel: chosen.channel,
      locale: chooseLocale(tenant, input.locale, clues),
      userId: null,
      isKnown: true,
      alongside: (sql) => awaitCode(sql, tenant.id, chatId),
    },
    clues,
  );
}

/** Checks the code that this chat waits for, and no other: what was begun elsewhere is finished there (C6). */
export async function verifyCodeInChat(
  context: SignInContext,
  chat: ProvingChat,
  input: SignInInput & { code: string },
  clues: RequestClues,
): Promise<SignedInChat | Refused> {
  const { tenant, chatId } = chat;
  const code = readCode(input.code);
  if (code === undefined) return refuseField('/verification_code', 'A code consists of digits only.');
  const challenge = await findChallenge(context.databaseOf(tenant.id), tenant.id, chatId);
  if (!challenge) return refuse('VERIFICATION_NOT_FOUND');
  const candidates = context.verifications.candidatesByRows(tenant.id, [challenge], code);
  return signInChat(context, chat, codeAmong(context, tenant, candidates, clues, code), input, clues);
}

/** Proves a number by its owner's own contact, as Telegram vouches for it (S10). */
export async function proveContact(
  context: SignInContext,
  chat: ProvingChat,
  message: ContactMessage,
  clues: RequestClues,
): Promise<
  SignedInChat | Refused | { ok: false; contact: ContactRefusal | 'switched_off' | 'other_number' }
> {
  const { tenant, chatId } = chat;
  if (!tenant.policy.telegram.contactProvesPhone) return { ok: false, contact: 'switched_off' };
  const read = readOwnContact(message);
  if (!read.ok) return { ok: false, contact: read.reason };
  if (String(message.chat.id) !== chatId) return { ok: false, contact: 'not_private' };
  const located = locatePhone(context, tenant, read.phone, clues);
  if (!located.ok) return located;
  const { address } = located;
  const challenge = await findChallenge(context.databaseOf(tenant.id), tenant.id, chatId);
  if (challenge?.is_live && challenge.phone !== address.value) return { ok: false, contact: 'other_number' };
  const proof: ProofSource = {
    fragment: (sql, now) =>
      context.verifications.vouch(sql, {
        tenantId: tenant.id,
        channel: 'telegram_contact',
        ...address,
        locale: chooseLocale(tenant, undefined, clues),
        now,
      }),
    lock: (sql) => lockHolder(sql, tenant.id, sql`select ${address.kind}::text, ${address.value}::text`),
    amr: ['telegram'],
    byHandle: false,
  };
  return signInChat(context, chat, proof, {}, clues);
}

/** Signs in by a proof made in a chat, which becomes the account's. */
export async function signInChat(
  context: SignInContext,
  { tenant, chatId, deviceName = 'Telegram' }: ProvingChat,
  proof: ProofSource,
  input: SignInInput,
  clues: RequestClues,
): Promise<SignedInChat | Refused> {
  const database = context.databaseOf(tenant.id);
  const link = chatToLink(context, database, tenant, chatId, clues);
  const device = { kind: 'telegram', name: deviceName, telegramChatId: chatId };
  const told = { ...input, device, style: 'opaque' as const };
  const outcome = await signInBy(context, tenant, { ...proof, link }, told, clues);
  if (!outcome) return refuse('VERIFICATION_NOT_FOUND');
  if (!outcome.ok) return outcome;
  if ('resetToken' in outcome) return refuse('VERIFICATION_NOT_FOUND');
  return { ...outcome, chat: { chatId, ...link.done() } };
}

function locatePhone(context: SignInContext, tenant: Tenant, phone: string, clues: RequestClues) {
  const fields: AddressFields = { phone };
  const located = locateAddress(context.tenants, fields, { ...clues, tenantHeader: tenant.slug });
  return located.ok ? (refuseIdentifier(tenant, 'phone') ?? located) : located;
}
