import type { Fragment, Sql } from '../db/database.ts';
import { bytesToUuid, uuidToBytes } from '../kernel/id.ts';
import { constantTimeEqual, type Secrets } from '../kernel/secrets.ts';

const TAG_BYTES = 4;
const MAC_BYTES = 16;
const TOKEN_BYTES = TAG_BYTES + 16 + MAC_BYTES;

/**
 * The token by which whoever proved a number goes on to a second proof: a tag of the tenant, the verification, and 128
 * bits of keyed hash over both. 48 characters, so that a button of the bot can carry it. Nothing of it is stored.
 */
export function secondProofToken(secrets: Secrets, tenantId: string, verificationId: string): string {
  const mac = secrets.mac('second-proof', tenantId, verificationId).subarray(0, MAC_BYTES);
  return Buffer.concat([tagOf(tenantId), uuidToBytes(verificationId), mac]).toString('base64url');
}

/** Reads and verifies such a token; undefined when it is none of these tenants'. */
export function readSecondProofToken<T extends { id: string }>(
  secrets: Secrets,
  token: string,
  tenants: readonly T[],
): { tenant: T; verificationId: string } | undefined {
  if (!/^[A-Za-z0-9_-]{48}$/.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.byteLength !== TOKEN_BYTES) return undefined;
  const verificationId = bytesToUuid(bytes.subarray(TAG_BYTES, TAG_BYTES + 16));
  const tenant = tenants.find(
    ({ id }) =>
      bytes.subarray(0, TAG_BYTES).equals(tagOf(id)) &&
      secrets
        .macs('second-proof', id, verificationId)
        .some((mac) => constantTimeEqual(mac.subarray(0, MAC_BYTES), bytes.subarray(TAG_BYTES + 16))),
  );
  return tenant && { tenant, verificationId };
}

/** The last bytes of a tenant's id, which are random. */
function tagOf(tenantId: string): Uint8Array {
  return uuidToBytes(tenantId).subarray(16 - TAG_BYTES);
}

/**
 * The entries of a `with` list that `prove` gives for a code, for a proof that was made a moment ago and led to no
 * sign-in: taken once, in time; no row otherwise.
 */
export function spentProofFragment(
  sql: Sql,
  proof: { tenantId: string; id: string; lifeSeconds: number; now: Fragment },
): Fragment {
  const { tenantId, now } = proof;
  return sql`
    proof as materialized (
      update verifications v set reset_at = ${now}
      where v.tenant_id = ${tenantId}::uuid and v.id = ${proof.id}::uuid and v.reset_at is null
        and v.purpose in ('sign_in', 'register') and v.consumed_at > ${now} - make_interval(secs => ${proof.lifeSeconds})
      returning 'proved' as state, v.id, v.purpose, v.channel, v.kind, v.value, v.as_entered, v.user_id, v.attempts,
        v.max_attempts, v.pending_registration_id, v.vouches_password, true as is_holder, 0 as holder_tries, v.closes_address,
        v.test_entry
    ),
    judged as (select * from proof),
    budget as materialized (
      select b.kind, b.value, b.sent_at, b.failed_at, b.failures_in_a_row, false as contested, 0 as kept, 0 as untried
      from address_budgets b
      where b.tenant_id = ${tenantId}::uuid and b.kind = (select kind from proof) and b.value = (select value from proof)
    )`;
}
