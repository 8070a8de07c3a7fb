import type { Message } from 'grammy/types';
import { findChallenge } from '../chats/chats.ts';
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
import { authWordsOf } from './auth-words.ts';
import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { sayRefusal } from './second-proof.ts';
import { refusalIn, sayToken } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** /auth: the phone is proved by its owner's own contact, or by a code to a number that is typed (flow C). */
export const authFeature: Feature = {
  commands: [{ name: 'auth', description: (_words, locale) => authWordsOf(locale).command, handle: ask }],
  contact: takeContact,
  texts: [{ takes: (text) => /^\+[\d\s().-]{6,30}$/.test(plainDigits(text)), handle: sendCode }],
  callbacks: [
    { prefix: UNDO_PREFIX, handle: undo },
    { prefix: PROVE_AGAIN_PREFIX, handle: (conversation) => ask(conversation, '') },
  ],
};

function chatOf({ tenant, chat }: Conversation): ProvingChat {
  return { tenant, chatId: chat.chat_id };
}

async function ask(conversation: Conversation, argument: string): Promise<void> {
  if (argument !== '') return sendCode(conversation, argument.slice(0, 40));
  const words = authWordsOf(conversation.locale);
  if (!conversation.tenant.policy.telegram.contactProvesPhone) return conversation.say(words.askNumber);
  conversation.say(words.ask, {
    keyboard: {
      keyboard: [[{ text: words.share, request_contact: true }]],
      resize_keyboard: true,
      one_time_keyboard: true,
    },
  });
}

async function sendCode(conversation: Conversation, phone: string): Promise<void> {
  const { context, clues, locale, say } = conversation;
  const sent = await sendCodeToChat(context.signIn, chatOf(conversation), { phone, locale }, clues);
  if (!sent.ok) return say(refusalIn(conversation.words, sent));
  say(fill(authWordsOf(locale).sent, { destination: sent.destination }), {
    keyboard: { remove_keyboard: true },
  });
}

async function takeContact(conversation: Conversation, message: Message): Promise<void> {
  const { context, clues, locale, say } = conversation;
  const outcome = await proveContact(context.signIn, chatOf(conversation), message, clues);
  if ('contact' in outcome) return say(authWordsOf(locale).contact[outcome.contact]);
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
