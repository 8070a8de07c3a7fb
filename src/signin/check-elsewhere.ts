import { recordEvent } from '../audit/audit.ts';
import type { Database } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { burnVerification, type Purpose } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';

export interface CountedAttempt {
  tenantId: string;
  verification_id: string;
  purpose: Purpose;
  kind: string;
  value: string;
  /** The provider's id of the message with its code. */
  providerMessageId: string;
  code: string;
}

/**
 * Asks the provider that made a code whether this is the one. The attempt has been counted and committed before (S01,
 * S02): whoever dies here, or is never answered, has used it up. Nothing is locked while the provider thinks.
 * @param wrong the answer to a code that is wrong
 * @returns undefined when the provider approves: the code is this verification's own now, and may be proved
 */
export async function checkElsewhere(
  context: SignInContext,
  database: Database,
  attempt: CountedAttempt,
  wrong: Refused,
  clues: RequestClues,
): Promise<Refused | undefined> {
  const answer = await context.codeChecks.check(attempt.providerMessageId, attempt.code);
  const { tenantId, verification_id: verificationId, purpose, kind, value } = attempt;
  if (answer === 'approved') {
    const adopted = { tenantId, purpose, id: verificationId };
    const lives = await context.verifications.adopt(database, adopted, attempt.code);
    return lives ? undefined : refuse('VERIFICATION_NOT_FOUND');
  }
  if (answer === 'burned') await burnVerification(database, tenantId, verificationId);
  const { sql } = database;
  const recorded = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: answer === 'wrong' ? sql`'code.wrong'` : sql`'code.refused'`,
    actor: sql`'anonymous'`,
    subject: sql`${`${kind}:${value}`}`,
    caller: clues.caller,
    now: database.now(),
    data: sql`jsonb_build_object('state', ${answer}::text, 'verification_id', ${verificationId}::text)`,
    from: sql`(select) nothing`,
  });
  await sql`with recorded as (${recorded}) select`;
  switch (answer) {
    case 'wrong':
      return wrong;
    case 'expired':
      return refuse('CODE_EXPIRED', { next_action: 'REQUEST_CODE' });
    case 'burned':
      return refuse('TOO_MANY_ATTEMPTS', { attempts_left: 0, next_action: 'REQUEST_CODE' });
    case 'unknown':
      // It may have been approved, and asking again would not tell: only a new code is sure.
      return refuse(
        'CHANNEL_UNAVAILABLE',
        { next_action: 'REQUEST_CODE' },
        'This code could not be checked. Request a new one.',
      );
  }
}
