import type { Caller } from '../audit/audit.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { GivenSession } from './plain-open-store.ts';
import { deviceNameOf } from './policy.ts';
import type { OpenOptions } from './sessions.ts';

/** A session to be opened on a device of its own, as a row of `given`. */
export function prepareSession(
  newId: () => string,
  wanted: Pick<OpenOptions, 'style' | 'device'> & { tenant: Tenant; caller: Caller },
): GivenSession {
  const { tenant, style, device, caller } = wanted;
  const guessed = deviceNameOf(caller.userAgent);
  return {
    session_id: newId(),
    device_id: newId(),
    style,
    session_seconds: tenant.policy.sessionLifetimeSeconds,
    device_kind: device?.kind ?? guessed.kind,
    device_name: device?.name ?? guessed.name,
  };
}
