import { recordEvent } from '../audit/audit.ts';
import type { Database } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { burnVerification } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';

export interface CountedAttempt {
  tenantId: string;
  verificationId: string;
  /** The provider's id of the message with its code. */
  providerMessageId: string;
  code: string;
  address: { kind: string; value: string };
  /** The answer to a code that is wrong: the attempt has been counted already. */
  wrong: Refused;
}

/**
 * Asks the provider that made a code whether this is the one. The attempt has been counted and committed before (S01,
 * S02): whoever dies here, or is never answered, has used it up. Nothing is locked while the provider thinks.
 * @returns undefined when the provider approves: the proof may be consumed now
 */
export async function checkElsewhere(
  context: SignInContext,
  database: Database,
  attempt: CountedAttempt,
  clues: RequestClues,
): Promise<Refused | undefined> {
  const answer = await context.codeChecks.check(attempt.providerMessageId, attempt.code);
  if (answer === 'approved') return undefined;
  const { tenantId, verificationId, address } = attempt;
  if (answer === 'burned') await burnVerification(database, tenantId, verificationId);
  const { sql } = database;
  const recorded = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: answer === 'wrong' ? sql`'code.wrong'` : sql`'code.refused'`,
    actor: sql`'anonymous'`,
    subject: sql`${`${address.kind}:${address.value}`}`,
    caller: clues.caller,
    now: database.now(),
    data: sql`jsonb_build_object('state', ${answer}::text, 'verification_id', ${verificationId}::text)`,
    from: sql`(select) nothing`,
  });
  await sql`with recorded as (${recorded}) select`;
  switch (answer) {
    case 'wrong':
      return attempt.wrong;
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
