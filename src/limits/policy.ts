import type { Config } from '../config/config.ts';
import { type Refused, refuse } from '../kernel/errors.ts';

/** How much is allowed. Counts and seconds; DESIGN part 5 has the defaults. */
export interface Budgets {
  sendCooldownSeconds: number;
  sendsPerTenMinutes: number;
  sendsPerDay: number;
  sendsPerCallerPerHour: number;
  /** Of those, so many without a challenge. */
  freeSendsPerCallerPerHour: number;
  wrongCodesPerHour: number;
  wrongCodesPerDay: number;
  /** So many wrong codes in a row close the anonymous path (NIST SP 800-63B-4, 3.2.2). */
  wrongCodesInARow: number;
  /** So many, of codes that anybody may have asked for, go free; then a new code costs a challenge. */
  freeWrongCodesInARow: number;
  /** Wrong passwords for one identity; never relaxed. */
  wrongPasswordsPerHour: number;
  wrongPasswordsPerCallerPerHour: number;
  /** Answers that tell a stranger whether an address has an account. */
  explicitAnswersPerCallerPerHour: number;
}

export const WRONG_CODES_PER_CODE = 5;
/** Of an address's sends, one in ten minutes and so many a day stay to its owner where strangers ask for codes. */
export const SENDS_KEPT_A_DAY = 3;
const RELAXED_FACTOR = 1000;

/** Budgets for load programs: sends and callers a thousandfold. Wrong codes and passwords of an identity never relax. */
function relaxBudgets(budgets: Budgets): Budgets {
  return {
    ...budgets,
    sendCooldownSeconds: budgets.sendCooldownSeconds / RELAXED_FACTOR,
    sendsPerTenMinutes: budgets.sendsPerTenMinutes * RELAXED_FACTOR,
    sendsPerDay: budgets.sendsPerDay * RELAXED_FACTOR,
    sendsPerCallerPerHour: budgets.sendsPerCallerPerHour * RELAXED_FACTOR,
    freeSendsPerCallerPerHour: budgets.freeSendsPerCallerPerHour * RELAXED_FACTOR,
    wrongPasswordsPerCallerPerHour: budgets.wrongPasswordsPerCallerPerHour * RELAXED_FACTOR,
    explicitAnswersPerCallerPerHour: budgets.explicitAnswersPerCallerPerHour * RELAXED_FACTOR,
  };
}

/** The budgets of a configuration. */
export function budgetsOf(config: Config): Budgets {
  const configured = {
    sendCooldownSeconds: config.sendCooldownSeconds,
    sendsPerTenMinutes: config.sendsPerAddressPerTenMinutes,
    sendsPerDay: config.sendsPerAddressPerDay,
    sendsPerCallerPerHour: config.sendsPerCallerPerHour,
    freeSendsPerCallerPerHour: config.freeSendsPerCallerPerHour,
    wrongCodesPerHour: config.wrongCodesPerHour,
    wrongCodesPerDay: config.wrongCodesPerDay,
    wrongCodesInARow: 100,
    freeWrongCodesInARow: 20,
    wrongPasswordsPerHour: config.wrongPasswordsPerHour,
    wrongPasswordsPerCallerPerHour: config.wrongPasswordsPerCallerPerHour,
    explicitAnswersPerCallerPerHour: config.explicitAnswersPerCallerPerHour,
  };
  return config.budgets === 'relaxed' ? relaxBudgets(configured) : configured;
}

/** One address's record, as the statement that took from it saw it. */
export interface AddressBudgetState {
  sentAt: readonly Date[];
  failedAt: readonly Date[];
  failuresInARow: number;
  /** Comparisons of the hour and the day that this caller may not use: they are the owner's. */
  kept: number;
  /** 1 where the owner's sends are kept from this caller, else 0. */
  keptSends: number;
  now: Date;
}

const HOUR = 3600;
const DAY = 86_400;

/** Seconds until fewer than `limit` of these moments lie within the last `windowSeconds`; 0 when that is so now. */
function secondsUntilBelow(
  moments: readonly Date[],
  limit: number,
  windowSeconds: number,
  now: Date,
): number {
  const starts = now.getTime() - windowSeconds * 1000;
  const within = moments
    .map((moment) => moment.getTime())
    .filter((time) => time > starts)
    .sort((left, right) => left - right);
  const leaver = within[within.length - limit];
  return leaver === undefined ? 0 : Math.max(1, Math.ceil((leaver - starts) / 1000));
}

/** Wrong codes this address may still give: what is left of the hour and of the day. */
export function wrongCodesLeft(state: AddressBudgetState, budgets: Budgets): number {
  if (state.failuresInARow >= budgets.wrongCodesInARow) return 0;
  const since = (seconds: number): number =>
    state.failedAt.filter((moment) => moment.getTime() > state.now.getTime() - seconds * 1000).length;
  return Math.max(
    0,
    Math.min(budgets.wrongCodesPerHour - since(HOUR), budgets.wrongCodesPerDay - since(DAY)) - state.kept,
  );
}

/** Why no comparison is made any more, and for how long. Undefined while some are left. */
export function explainFailures(state: AddressBudgetState, budgets: Budgets): Refused | undefined {
  if (state.failuresInARow >= budgets.wrongCodesInARow) {
    return refuse(
      'TOO_MANY_ATTEMPTS',
      { attempts_left: 0, retry_after: DAY, next_action: 'USE_ANOTHER_WAY' },
      'Too many wrong codes in a row: codes for this address are closed. Sign in another way or ask for help.',
    );
  }
  const leastOne = (limit: number): number => Math.max(1, limit - state.kept);
  const wait = Math.max(
    secondsUntilBelow(state.failedAt, leastOne(budgets.wrongCodesPerHour), HOUR, state.now),
    secondsUntilBelow(state.failedAt, leastOne(budgets.wrongCodesPerDay), DAY, state.now),
  );
  return wait > 0 ? refuse('TOO_MANY_ATTEMPTS', { attempts_left: 0, retry_after: wait }) : undefined;
}

/** Why a send was refused: wrong codes, then the windows, then the cool-down. */
export function explainSend(state: AddressBudgetState, budgets: Budgets): Refused {
  const failures = explainFailures(state, budgets);
  if (failures) return failures;
  const wait = secondsUntilSend(state, budgets);
  if (wait > 0) return refuse('RATE_LIMITED', { retry_after: wait, resend_in: wait });
  const cooldown = Math.max(1, secondsCooling(state, budgets));
  return refuse('RESEND_TOO_SOON', { resend_in: cooldown, retry_after: cooldown });
}

/**
 * Was a send refused for nothing but strangers' guesses? Work is asked for only where it leads somewhere.
 * @param patient it would have waited for the end of the cool-down
 */
export function onlyWorkIsMissing(
  state: AddressBudgetState & { strangersInARow: number },
  patient: boolean,
  budgets: Budgets,
): boolean {
  return (
    state.strangersInARow >= budgets.freeWrongCodesInARow &&
    explainFailures(state, budgets) === undefined &&
    secondsUntilSend(state, budgets) === 0 &&
    (patient || secondsCooling(state, budgets) === 0)
  );
}

/** Seconds until the windows of ten minutes and of a day let one more out. */
function secondsUntilSend(state: AddressBudgetState, budgets: Budgets): number {
  return Math.max(
    secondsUntilBelow(state.sentAt, budgets.sendsPerTenMinutes - state.keptSends, 600, state.now),
    secondsUntilBelow(state.sentAt, budgets.sendsPerDay - SENDS_KEPT_A_DAY * state.keptSends, DAY, state.now),
  );
}

function secondsCooling(state: AddressBudgetState, budgets: Budgets): number {
  return secondsUntilBelow(state.sentAt, 1, budgets.sendCooldownSeconds, state.now);
}

/** Seconds until the next code may be asked for, after one was just sent. */
export function resendIn(budgets: Budgets): number {
  return Math.ceil(budgets.sendCooldownSeconds);
}
