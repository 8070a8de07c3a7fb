import type { Refused } from '../kernel/errors.ts';
import type { SignedIn } from '../signin/signed-in.ts';
import type { Conversation } from './conversation.ts';
import { type BotWords, fill } from './words.ts';

/** Tells somebody who has just signed in, with the token to copy. */
export function sayToken({ words, tenant, say }: Conversation, outcome: SignedIn): void {
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
export function refusalIn(words: BotWords, { error, details }: Refused): string {
  const sentence = words.refusals[error] ?? words.refusals.other;
  if (error !== 'INVALID_CODE' || details.attempts_left === undefined) return sentence;
  return `${sentence} ${fill(words.attemptsLeft, { count: String(details.attempts_left) })}`;
}
