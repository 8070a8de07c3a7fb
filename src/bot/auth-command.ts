import type { Message } from 'grammy/types';
import { findChallenge, stopAwaitingCode } from '../chats/chats.ts';
import { plainDigits } from '../kernel/digits.ts';
import { PROVE_AGAIN_PREFIX } from '../signin/ask-proof-again.ts';
import { UNDO_PREFIX } from '../signin/chat-link.ts';
import {
  proveContact,
  type ProvingChat,
  sendCodeToChat,
  type SignedInChat,
  verifyCodeInChat,
} from '../signin/prove-in-chat.ts';
import { undoMove } from '../signin/undo-move.ts';
import { readCode } from '../verification/verification.ts';
import { authWordsOf } from './auth-words.ts';
import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { sayRefusal } from './second-proof.ts';
import { refusalIn, sayToken, takesPhones } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** /auth: the phone is proved by its owner's own contact, or by a code to a number that is typed (flow C). */
export const authFeature: Feature = {
  commands: [
    { name: 'auth', description: (_words, locale) => authWordsOf(locale).command, handle: ask },
    { name: 'cancel', handle: cancel },
  ],
  contact: takeContact,
  texts: [{ takes: isNumber, handle: sendCode }],
  callbacks: [
    { prefix: UNDO_PREFIX, handle: undo },
    { prefix: PROVE_AGAIN_PREFIX, handle: (conversation) => ask(conversation, '') },
  ],
};

function chatOf({ tenant, chat }: Conversation): ProvingChat {
  return { tenant, chatId: chat.chat_id };
}

/** Reads like a phone number, also one without its country code; what is as long as a code is taken for one. */
function isNumber(text: string, { tenant }: Conversation): boolean {
  const isCode = readCode(text)?.length === tenant.policy.codeLength('sign_in');
  return !isCode && /^(?:\+|(?=(?:\D*\d){7}))[\s().-]*\d[\d\s().-]{0,38}$/.test(plainDigits(text));
}

async function ask(conversation: Conversation, argument: string): Promise<void> {
  if (argument !== '') return sendCode(conversation, argument.slice(0, 40));
  const words = authWordsOf(conversation.locale);
  if (!takesPhones(conversation)) return conversation.say(words.notTaken);
  if (!conversation.tenant.policy.telegram.contactProvesPhone) return conversation.say(words.askNumber);
  offerContact(conversation, words.ask);
}

/** Says something above Telegram's own button for sharing one's contact. */
function offerContact({ locale, say }: Conversation, text: string): void {
  say(text, {
    keyboard: {
      keyboard: [[{ text: authWordsOf(locale).share, request_contact: true }]],
      resize_keyboard: true,
      one_time_keyboard: true,
    },
  });
}

async function sendCode(conversation: Conversation, phone: string): Promise<void> {
  const { context, clues, locale, tenant, say } = conversation;
  const words = authWordsOf(locale);
  if (!takesPhones(conversation)) return say(words.notTaken);
  const sent = await sendCodeToChat(context.signIn, chatOf(conversation), { phone, locale }, clues);
  if (sent.ok) {
    const text = fill(words.sent, { destination: sent.destination });
    return say(text, { keyboard: { remove_keyboard: true } });
  }
  if (sent.error === 'INVALID_REQUEST') return say(words.unusable);
  const isOutOfReach = sent.error === 'COUNTRY_NOT_ALLOWED' || sent.error === 'CHANNEL_UNAVAILABLE';
  if (!isOutOfReach || !tenant.policy.telegram.contactProvesPhone) return say(refusalIn(conversation, sent));
  offerContact(conversation, `${refusalIn(conversation, sent)} ${words.shareInstead}`);
}

/** /cancel: no code is awaited here any more, so that another number may be typed or shared. */
async function cancel({ database, tenant, chat, locale, say }: Conversation): Promise<void> {
  await stopAwaitingCode(database, tenant.id, chat.chat_id);
  say(authWordsOf(locale).cancelled, { keyboard: { remove_keyboard: true } });
}

async function takeContact(conversation: Conversation, message: Message): Promise<void> {
  const { context, clues, locale, say } = conversation;
  const words = authWordsOf(locale);
  if (!takesPhones(conversation)) return say(words.notTaken);
  const outcome = await proveContact(context.signIn, chatOf(conversation), message, clues);
  if ('contact' in outcome) return say(words.contact[outcome.contact]);
  if (!outcome.ok && outcome.error === 'INVALID_REQUEST') return say(words.unusable);
  if (!outcome.ok) return sayRefusal(conversation, outcome);
  welcome(conversation, outcome);
}

/** The code of the number that this chat typed; false: it waits for none, so it may be one that the bot brought. */
export async function answerChallenge(conversation: Conversation, code: string): Promise<boolean> {
  const { context, clues, database, tenant, chat } = conversation;
  const challenge = await findChallenge(database, tenant.id, chat.chat_id);
  if (!challenge?.is_live) return false;
  const outcome = await verifyCodeInChat(context.signIn, chatOf(conversation), { code }, clues);
  if (outcome.ok) {
    welcome(conversation, outcome);
    return true;
  }
  sayRefusal(conversation, outcome);
  return true;
}

function welcome(conversation: Conversation, outcome: SignedInChat): void {
  sayToken(conversation, outcome);
  if (outcome.chat.movedFrom !== undefined) conversation.say(authWordsOf(conversation.locale).moved);
}

async function undo(conversation: Conversation, moveId: string): Promise<void> {
  const { context, tenant, chat, clues, locale, change } = conversation;
  const words = authWordsOf(locale);
  const outcome = await undoMove(context.signIn, { tenant, chatId: chat.chat_id, moveId }, clues);
  change(outcome.ok ? words.undone : words.notUndone);
}
