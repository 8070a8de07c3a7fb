import type { Refused } from '../kernel/errors.ts';
import { verifyCode } from '../signin/verify-code.ts';
import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { type BotWords, fill } from './words.ts';

/** /verify CODE, or the code alone: signs in as the Telegram account that writes (flow A, step 2). */
export const verifyFeature: Feature = {
  commands: [{ name: 'verify', description: (words) => words.commands.verify, handle: verify }],
  texts: [
    {
      takes: (text, { tenant }) => /^\d+$/.test(text) && text.length === tenant.policy.codeLength('sign_in'),
      handle: verify,
    },
  ],
};

async function verify(conversation: Conversation, argument: string): Promise<void> {
  const { context, words, chat, tenant, clues, say } = conversation;
  if (argument === '') return say(words.verify.ask);
  const outcome = await verifyCode(
    context.signIn,
    {
      telegram_user_id: chat.telegram_user_id,
      code: argument.slice(0, 32),
      device: { kind: 'telegram', name: 'Telegram', telegramChatId: chat.chat_id },
      style: 'opaque',
    },
    clues,
  );
  if (!outcome.ok) return say(refusalIn(words, outcome));
  // The code of a forgotten password is worth a new password, which is set where it was asked for.
  if ('resetToken' in outcome) return say(words.refusals.other);
  const done = outcome.isNewUser ? words.verify.created : words.verify.signedIn;
  const token = outcome.tokens.access_token;
  const text = `${fill(done, { tenant: tenant.name })}\n\n${words.verify.token}\n\n`;
  say(text + token, {
    secret: true,
    entities: [{ type: 'code', offset: text.length, length: token.length }],
    buttons: [[{ text: words.verify.copyToken, copy_text: { text: token } }]],
  });
}

/** A refusal as a person reads it, in their language. */
function refusalIn(words: BotWords, { error, details }: Refused): string {
  const sentence = words.refusals[error] ?? words.refusals.other;
  if (error !== 'INVALID_CODE' || details.attempts_left === undefined) return sentence;
  return `${sentence} ${fill(words.attemptsLeft, { count: String(details.attempts_left) })}`;
}
