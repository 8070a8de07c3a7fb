import type { InlineKeyboardButton } from 'grammy/types';
import type { Refused } from '../kernel/errors.ts';
import { keyOfWay } from '../signin/ask-second-proof.ts';
import { secondProof } from '../signin/second-proof.ts';
import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { secondProofWordsOf } from './second-proof-words.ts';
import { refusalIn, sayToken } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** Telegram carries 64 bytes: this, the token and the key of a way. */
const PREFIX = 'two';

/** The number alone does not open an account that lay idle (S35): the ways that lead on, as buttons. */
export const secondProofFeature: Feature = { callbacks: [{ prefix: PREFIX, handle: press }] };

/** A refusal of a sign-in as the person reads it; where one more proof leads on, with what to press. */
export function sayRefusal(conversation: Conversation, refused: Refused): void {
  const { ways = [], second_proof_token: token } = refused.details;
  if (refused.error !== 'SECOND_PROOF_REQUIRED') return conversation.say(refusalIn(conversation, refused));
  const words = secondProofWordsOf(conversation.locale);
  // A password is never asked for in a chat: it would stay there to be read.
  const buttons = ways.flatMap((way): InlineKeyboardButton[][] => {
    if (token === undefined || way.method === 'password') return [];
    const data = `${PREFIX}:${token}:${way.method === 'new_account' ? 'new' : keyOfWay(way)}`;
    const text =
      way.method === 'new_account' ? words.begin : fill(words.send, { destination: way.destination ?? '' });
    return [[{ text, callback_data: data }]];
  });
  conversation.say(buttons.length > 0 ? words.ask : words.stuck, buttons.length > 0 ? { buttons } : {});
}

async function press(conversation: Conversation, rest: string): Promise<void> {
  const { context, tenant, chat, clues, locale, change } = conversation;
  const [token = '', key = ''] = rest.split(':');
  const words = secondProofWordsOf(locale);
  const outcome = await secondProof(
    context.signIn,
    { token, way: key === 'new' ? 'new_account' : key, locale },
    { ...clues, tenantHeader: tenant.slug },
    { tenant, chatId: chat.chat_id },
  );
  if (!outcome.ok) {
    const isOver = outcome.error === 'TOKEN_INVALID' || outcome.error === 'TOKEN_EXPIRED';
    return change(isOver ? words.over : refusalIn(conversation, outcome));
  }
  if ('tokens' in outcome) {
    // Its buttons go: they have nothing to do any more.
    change(words.ask);
    return sayToken(conversation, outcome);
  }
  change(fill(words.sent, { destination: outcome.destination }));
}
