import { createHash } from 'node:crypto';
import type { Caller } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import { isNewAgent } from '../users/users.ts';
import type { SignInContext } from './context.ts';

/**
 * How an account remembers the program it was signed in with: a short hash of its User-Agent without version numbers,
 * so that an update of a browser is no new device. The address is left out: people's change all day.
 */
export function agentOf(caller: Caller): string {
  const name = (caller.userAgent ?? '').replaceAll(/[\d._]+/g, '');
  return createHash('sha256').update(name).digest('base64url').slice(0, 8);
}

/** `insert …` for a `with` list after `account` and `opened`: the owner is told of a sign-in from an unknown program. */
export function tellNewDevice(
  context: SignInContext,
  sql: Sql,
  signIn: {
    tenantId: string;
    deviceName: string;
    caller: Caller;
    used?: { kind: Fragment; value: Fragment };
    now: Fragment;
    /** SQL after `from`, with `account` and `opened`. */
    from: Fragment;
  },
): Fragment {
  const { tenantId, caller, used } = signIn;
  return context.notices.tell(sql, {
    tenantId,
    kind: 'new_device',
    userId: sql`account.id`,
    sessionId: sql`opened.id`,
    ...(used ? { used } : {}),
    details: sql`jsonb_build_object('device', ${signIn.deviceName}::text, 'place', ${caller.ip}::text)`,
    now: signIn.now,
    from: sql`${signIn.from} where ${isNewAgent(sql, tenantId, agentOf(caller))}`,
  });
}
