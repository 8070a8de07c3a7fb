import { durationIn } from '../kernel/duration.ts';
import type { Refused } from '../kernel/errors.ts';
import type { SignedIn } from '../signin/signed-in.ts';
import { authWordsOf } from './auth-words.ts';
import type { Conversation } from './conversation.ts';
import { fill } from './words.ts';

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

/** May people of this tenant sign in by phone number? */
export function takesPhones({ tenant }: Conversation): boolean {
  return tenant.policy.identifiers.includes('phone');
}

/** A sentence, and how to sign in here where that is possible. */
export function withWayIn(conversation: Conversation, sentence: string, gap = ' '): string {
  return takesPhones(conversation) ? `${sentence}${gap}${authWordsOf(conversation.locale).orHere}` : sentence;
}

/** A refusal as a person reads it, in their language. */
export function refusalIn({ words, locale }: Conversation, { error, details }: Refused): string {
  const sentence = fill(words.refusals[error] ?? words.refusals.other, {
    wait: durationIn(locale, details.resend_in ?? details.retry_after ?? 60),
  });
  if (error !== 'INVALID_CODE' || details.attempts_left === undefined) return sentence;
  return `${sentence} ${fill(words.attemptsLeft, { count: String(details.attempts_left) })}`;
}
