import type { Fragment, Sql } from '../db/database.ts';
import type { Purpose } from './policy.ts';

/** A proof that needed no code of ours: somebody we trust has told whose address it is. */
export interface Attestation {
  tenantId: string;
  id: string;
  purpose: Extract<Purpose, 'sign_in' | 'link'>;
  /** Whose; null where the proof finds or makes the account. */
  userId: string | null;
  kind: string;
  locale: string;
  /** Which way the proof came. */
  channel: string;
  /** SQL of type text over `spent`: the address. */
  value: Fragment;
  /** Random bytes where a code's verification keeps hashes: nothing can ever match them. */
  nothing: [Uint8Array, Uint8Array];
  now: Fragment;
}

/**
 * The entries of a `with` list after `spent` (one row when the proof holds) that end in `proof` and `budget`, in the
 * shape that proofs by code have: a verification that is consumed in the moment it is made. Codes that waited for the
 * address end, and its wrong guesses are forgotten, as after any proof.
 */
export function attestationFragment(sql: Sql, attestation: Attestation): Fragment {
  const { tenantId, now, kind } = attestation;
  const [handleHash, codeHash] = attestation.nothing;
  return sql`
    proof as (
      insert into verifications (tenant_id, id, handle_hash, purpose, channel, kind, value, as_entered, locale,
        code_hash, code_length, attempts, max_attempts, sends, user_id, created_at, last_sent_at, expires_at,
        consumed_at)
      select ${tenantId}::uuid, ${attestation.id}::uuid, ${handleHash as Buffer}::bytea, ${attestation.purpose},
        ${attestation.channel}, ${kind}, ${attestation.value}, ${attestation.value}, ${attestation.locale},
        ${codeHash as Buffer}::bytea, 0, 0, 0, 0, ${attestation.userId}::uuid, ${now}, ${now}, ${now}, ${now}
      from spent where ${attestation.value} is not null
      returning id, 'proved' as state, purpose, channel, kind, value, as_entered, user_id, vouches_password,
        pending_registration_id, null::uuid as test_entry
    ),
    remembered as (
      update address_budgets b set failed_at = '{}', failures_in_a_row = 0, strangers_in_a_row = 0, closed_at = null,
        contested_at = null
      where b.tenant_id = ${tenantId}::uuid and b.kind = ${kind} and b.value = (select value from proof)
      returning b.kind
    ),
    budget as materialized (
      select proof.kind, proof.value, coalesce((select b.contested_at > ${now} - interval '1 day'
        from address_budgets b where b.tenant_id = ${tenantId}::uuid and b.kind = ${kind}
          and b.value = (select value from proof)), false) as contested,
        (select count(*) from remembered) as forgotten
      from proof
    ),
    superseded as (
      delete from verifications v
      where v.tenant_id = ${tenantId}::uuid and v.kind = ${kind} and v.value = (select value from budget)
        and v.purpose in ('sign_in', 'register') and v.consumed_at is null
    )`;
}
