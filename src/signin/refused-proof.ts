import { type Refused, refuse } from '../kernel/errors.ts';
import type { AddressBudgetState } from '../limits/limits.ts';
import type { ProofState } from '../verification/verification.ts';
import type { SignInContext } from './context.ts';

/** What every statement that checks a code answers of it. */
export interface ProofRow {
  now: Date;
  state: ProofState;
  attempts: number;
  max_attempts: number;
  channel: string;
  sent_at: Date[];
  failed_at: Date[];
  failures_in_a_row: number;
  /** Wrong codes that are kept for others than whoever typed this one. */
  kept: number;
  compared_wrong: number;
  /** Those of them that count toward the hundred in a row. */
  closing_wrong: number;
}

/** The address's record once this check was counted. */
export function budgetStateAfter(row: ProofRow): AddressBudgetState {
  const failedAt = [...row.failed_at, ...Array.from({ length: row.compared_wrong }, () => row.now)];
  const failuresInARow = row.failures_in_a_row + row.closing_wrong;
  return { sentAt: row.sent_at, failedAt, failuresInARow, kept: row.kept, keptSends: 0, now: row.now };
}

/** What a check that did not succeed is answered with, and what the person may still try. */
export function refusedProof(context: SignInContext, row: ProofRow): Refused {
  const state = budgetStateAfter(row);
  switch (row.state) {
    case 'expired':
      return refuse('CODE_EXPIRED', { next_action: 'REQUEST_CODE' });
    case 'dead':
      return refuse('TOO_MANY_ATTEMPTS', { attempts_left: 0, next_action: 'REQUEST_CODE' });
    case 'budget':
      return context.budgets.explainFailures(state) ?? refuse('TOO_MANY_ATTEMPTS', { attempts_left: 0 });
    case 'wrong': {
      const left = Math.min(row.max_attempts - row.attempts - 1, context.budgets.wrongCodesLeft(state));
      return refuse('INVALID_CODE', { attempts_left: left, channel: row.channel });
    }
    case 'used':
    case 'proved':
      return refuse('VERIFICATION_NOT_FOUND');
  }
}
