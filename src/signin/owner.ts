import type { Fragment, Sql } from '../db/database.ts';
import type { Kept } from '../limits/limits.ts';
import { ownDevices } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { holderOf, provedSince } from '../users/users.ts';
import { untriedCodes } from '../verification/verification.ts';
import type { RequestClues } from './context.ts';

/** Of the ten wrong codes an hour, so many stay to devices and networks that signed in to the account before. */
const KEPT_FOR_THE_OWNER = 3;

/** What an address keeps for its owner, as SQL over `b`, its row of address_budgets. */
export interface OwnersShare extends Kept {
  /** A number: what only the owner's own devices and networks may use; 0 for those. */
  reserve: Fragment;
  /** A number: codes their holders have not tried yet, each of which keeps one comparison; 0 for the owner. */
  untried: Fragment;
  /** A boolean: does the caller show a device token of the account? A network is shared with strangers, and does not do. */
  knownDevice: Fragment;
}

/**
 * How much of an address's budget this caller may not use (decision 0011). Strangers share what is left of the ten
 * after the owner's three and after one for each code that its holder has not tried yet; so no guessing keeps an owner out who
 * holds a code, or who comes from a device or a network of theirs. All of it comes out of the ten (I3).
 *
 * Where a tenant does not tell who has an account, the three are kept for every address, accounts or
 * not, and only a device token makes an owner: a neighbour in the same network would learn it from the count (S22).
 */
export function ownersShare(sql: Sql, tenant: Tenant, clues: RequestClues, now: Fragment): OwnersShare {
  const holder = holderOf(sql);
  const { bucket, deviceId } = clues.caller;
  const isExplicit = tenant.policy.errorDetail === 'explicit';
  const isOwner = ownDevices(sql, holder, { network: isExplicit ? bucket : undefined, deviceId });
  const reserve = isExplicit
    ? sql`case when ${isOwner} or not ${ownDevices(sql, holder, undefined)} then 0 else ${KEPT_FOR_THE_OWNER}::int end`
    : sql`case when ${isOwner} then 0 else ${KEPT_FOR_THE_OWNER}::int end`;
  const untried = sql`case when ${isOwner} then 0 else ${untriedCodes(sql, now)} end`;
  return {
    reserve,
    untried,
    knownDevice: ownDevices(sql, holder, { network: undefined, deviceId }),
    sends: isExplicit ? sql`(${reserve} / ${KEPT_FOR_THE_OWNER}::int)` : sql`0`,
    comparisons: sql`(${reserve} + ${untried})`,
    reopened: sql`(${provedSince(sql, holder)} or ${ownDevices(sql, holder, { deviceId, live: true })})`,
  };
}
