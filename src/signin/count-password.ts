import { type Refused, refuse } from '../kernel/errors.ts';
import { ownDevices } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHolder } from '../users/users.ts';
import type { RequestClues, SignInContext } from './context.ts';

const HOUR = 3600;
/** Wrong passwords of an hour that a device or a session of the account has in any case, whatever strangers have typed. */
const KEPT_FOR_THE_OWNER = 3;

/** Whose password is typed, and by whom. */
export interface TypedPassword {
  tenant: Tenant;
  /** What the account is named by, or the first of its addresses. */
  identity: { kind: string; value: string };
  /** Does whoever types it hold a secret of the account: one of its sessions, the token of one of its devices? */
  isKnown: boolean;
  /** Counted for all identities together; left out: nobody types passwords for many. */
  caller?: string;
}

/** A password that may be compared. */
export interface CountedPassword {
  ok: true;
  /** Wrong ones that are left for the identity in this hour. */
  attemptsLeft: number;
  /** It was right, or was not compared after all. */
  giveBack: () => Promise<void>;
}

/**
 * Counts a password before it is compared, so that of many at once exactly as many are compared as are left. Strangers
 * who have used an hour up lock nobody out who is known (ASVS 6.1.1): three stay to them.
 */
export async function countPassword(
  context: SignInContext,
  { tenant, identity: { kind, value }, isKnown, caller }: TypedPassword,
): Promise<CountedPassword | Refused> {
  const { buckets, wrongPasswordsPerHour, wrongPasswordsPerCallerPerHour } = context;
  const key = `password:${tenant.id}:${kind}:${value}`;
  const ownKey = `own-${key}`;
  const callerKey = `password-caller:${caller}`;
  const [shared, own, byCaller] = await Promise.all([
    buckets.take(key, wrongPasswordsPerHour, HOUR, true),
    isKnown ? buckets.take(ownKey, KEPT_FOR_THE_OWNER, HOUR, true) : undefined,
    caller === undefined ? undefined : buckets.take(callerKey, wrongPasswordsPerCallerPerHour, HOUR, true),
  ]);
  const giveBack = async (): Promise<void> => {
    const taken = [
      ...(shared.allowed ? [key] : []),
      ...(own?.allowed ? [ownKey] : []),
      ...(byCaller?.allowed ? [callerKey] : []),
    ];
    await Promise.all(taken.map((one) => buckets.giveBack(one)));
  };
  const isAllowed = (shared.allowed || own?.allowed) && byCaller?.allowed !== false;
  if (isAllowed) return { ok: true, attemptsLeft: Math.max(shared.left, own?.left ?? 0), giveBack };
  await giveBack();
  const retryAfter = Math.max(shared.retryAfter, byCaller?.retryAfter ?? 0);
  return refuse(
    'RATE_LIMITED',
    { attempts_left: 0, retry_after: retryAfter },
    'Too many wrong passwords. Wait a while, or use a code.',
  );
}

/** Does the caller show the token of a device that this identity's account was signed in with? */
export async function showsOwnDevice(
  context: SignInContext,
  tenant: Tenant,
  identity: TypedPassword['identity'],
  { caller: { deviceId } }: RequestClues,
): Promise<boolean> {
  if (deviceId === undefined) return false;
  const database = context.databaseOf(tenant.id);
  const holder = await findPasswordHolder(database, tenant.id, identity);
  if (!holder) return false;
  const { sql } = database;
  const [row] = await sql<{ own: boolean }[]>`
    select ${ownDevices(sql, sql`${holder.id}::uuid`, { deviceId })} as own
    from (select ${tenant.id}::uuid as tenant_id) b`;
  return row?.own ?? false;
}
