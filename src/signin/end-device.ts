import type { Caller } from '../audit/audit.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { isUuid } from '../kernel/id.ts';
import type { Access } from '../sessions/sessions.ts';
import type { SignInContext } from './context.ts';
import { requireProof } from './require-proof.ts';

/** Signs a device out. Any but the one in hand wants a recent proof, as with `logout`. */
export async function endDevice(
  context: SignInContext,
  access: Access,
  deviceId: string,
  caller: Caller,
): Promise<{ ok: true } | Refused> {
  if (deviceId !== access.deviceId) {
    const unproved = await requireProof(context, access, 'sessions');
    if (unproved) return unproved;
  }
  const count = isUuid(deviceId) ? (await context.sessions.endDevice(access, deviceId, caller)).count : 0;
  return count > 0 ? { ok: true } : refuse('NOT_FOUND');
}
