import type { Solved } from '../challenges/challenges.ts';
import type { Fragment, Sql } from '../db/database.ts';
import { type Refused } from '../kernel/errors.ts';
import type { AddressBudgetState } from '../limits/limits.ts';
import type { RequestClues, SignInContext } from './context.ts';
import type { OwnersShare } from './owner.ts';
import { askForWork, asksForWork, hasSolved } from './prove-work.ts';

/** Who asks for a new code, where strangers have guessed at its address. */
export interface Asking {
  /** SQL of type boolean over `b`: may a code go out all the same? Undefined: it may. */
  passesGate: Fragment | undefined;
  /** SQL of type boolean over `budget`: does what is guessed wrong count toward the hundred? */
  closesAddress: Fragment;
}

/**
 * Wrong codes count toward the hundred in a row, which close an address (NIST SP 800-63B-4, 3.2.2), only where whoever
 * began the code has paid for it or is known; else a patient stranger would close any address for nothing (ASVS 6.1.1).
 * So that guessing stays bounded, an address bears a few codes' worth of strangers' guesses, and its next codes go out
 * only to who solves a challenge, shows a device token of the account, or cannot be anybody.
 * @param isKnown a session asks for a code to an address of its own account, or a chat by its Telegram account
 */
export async function askingFor(
  context: SignInContext,
  sql: Sql,
  share: OwnersShare,
  clues: RequestClues,
  isKnown: boolean,
): Promise<Asking> {
  // Who never asks for work has the hundred alone.
  if (!asksForWork(context)) return { passesGate: undefined, closesAddress: sql`true` };
  const solved = await hasSolved(context, clues);
  const isUnsure = solved === 'unsure';
  const passes = isKnown || isUnsure || solved === 'solved';
  const past = sql`budget.strangers_in_a_row >= ${context.budgets.freeInARow}::int`;
  return {
    passesGate: passes ? undefined : share.knownDevice,
    closesAddress: sql`(${hasPaid(solved)}::boolean or ${past} and not ${isUnsure}::boolean)`,
  };
}

/** Has whoever begins a code paid for what is guessed at it? */
function hasPaid(solved: Solved): boolean {
  return solved === 'solved';
}

/** The same for an address at which no stranger has guessed: the gate is open, and only work done counts. */
export async function closesAtPeace(context: SignInContext, clues: RequestClues): Promise<boolean> {
  return !asksForWork(context) || hasPaid(await hasSolved(context, clues));
}

/** The refusal of a code that only work would have bought; undefined where the address's budgets refuse it as well. */
export async function explainGate(
  context: SignInContext,
  state: AddressBudgetState & { strangersInARow: number },
  patient: boolean,
  clues: RequestClues,
): Promise<Refused | undefined> {
  if (!asksForWork(context) || !context.budgets.onlyWorkIsMissing(state, patient)) return undefined;
  return askForWork(context, clues, undefined, GUESSED_AT);
}

const GUESSED_AT = 'Many wrong codes were typed for this address. Solve the challenge and send this again.';
