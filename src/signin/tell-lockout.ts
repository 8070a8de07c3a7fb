import type { AddressBudgets, AddressBudgetState } from '../limits/limits.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { budgetStateAfter, type ProofRow } from './refused-proof.ts';

/**
 * The owner of an address learns that strangers have used up its wrong codes, or have closed it by a hundred in a row:
 * once a day, by another way where there is one (S48). A guess that is refused later tells again what a server that
 * died has not told.
 */
export function tellLockout(
  context: SignInContext,
  tenant: Tenant,
  row: ProofRow & { kind: string; value: string },
  clues: RequestClues,
): void {
  if (row.state === 'proved' || row.state === 'used') return;
  const state = budgetStateAfter(row);
  const isClosed = state.failuresInARow >= context.budgets.inARow;
  if (!isClosed && !isLocked(context.budgets, state)) return;
  const lockout = {
    kind: isClosed ? ('address_closed' as const) : ('account_locked' as const),
    address: { kind: row.kind, value: row.value },
    details: placeOf(clues),
  };
  const since = row.state === 'wrong' ? undefined : row.failed_at.at(-1);
  context.notices.tellLockout(tenant.id, lockout, since);
}

/**
 * Nothing is left to whoever guessed, and at least half of the hour was guessed away: less than that is somebody who
 * waits for codes that others have asked for.
 */
function isLocked(budgets: AddressBudgets, state: AddressBudgetState): boolean {
  if (budgets.explainFailures(state) === undefined) return false;
  const all = budgets.wrongCodesLeft({ ...state, failedAt: [], kept: 0 });
  return budgets.wrongCodesLeft({ ...state, kept: 0 }) * 2 <= all;
}

/** The same for passwords: the last one that the hour allows was wrong. */
export function tellPasswordLockout(
  context: SignInContext,
  tenant: Tenant,
  address: { kind: string; value: string },
  clues: RequestClues,
): void {
  context.notices.tellLockout(tenant.id, { kind: 'account_locked', address, details: placeOf(clues) });
}

function placeOf({ caller }: RequestClues): { place?: string } {
  return caller.ip === '' ? {} : { place: caller.ip };
}
