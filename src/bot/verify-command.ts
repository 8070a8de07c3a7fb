import { verifyCode } from '../signin/verify-code.ts';
import { readCode } from '../verification/verification.ts';
import { answerChallenge } from './auth-command.ts';
import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { refusalIn, sayToken } from './sign-in-answers.ts';

/** /verify CODE, or the code alone: signs in as the Telegram account that writes (flow A, step 2). */
export const verifyFeature: Feature = {
  commands: [{ name: 'verify', description: (words) => words.commands.verify, handle: verify }],
  texts: [
    {
      takes: (text, { tenant }) => readCode(text)?.length === tenant.policy.codeLength('sign_in'),
      handle: verify,
    },
  ],
};

async function verify(conversation: Conversation, argument: string): Promise<void> {
  const { context, words, chat, clues, say } = conversation;
  if (argument === '') return say(words.verify.ask);
  if (await answerChallenge(conversation, argument.slice(0, 32))) return;
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
  if (!outcome.ok) return say(refusalIn(conversation, outcome));
  // The code of a forgotten password is worth a new password, which is set where it was asked for.
  if ('resetToken' in outcome) return say(words.refusals.other);
  sayToken(conversation, outcome);
}
