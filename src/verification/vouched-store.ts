import type { Fragment, Sql } from '../db/database.ts';

/** An address that somebody we trust has proved for us: Telegram, of the phone of whoever shares an own contact. */
export interface VouchedAddress {
  tenantId: string;
  id: string;
  /** How it was proved, such as `telegram_contact`. */
  channel: string;
  kind: string;
  value: string;
  asEntered: string;
  locale: string;
  /** Random: no code and no handle ever fits it. */
  handleHash: Uint8Array;
  codeHash: Uint8Array;
  now: Fragment;
}

/**
 * The entries of a `with` list that `prove` gives for a code, for a proof that needs none: a verification that begins
 * consumed (so every account has exactly one consumed verification), the budget row of the address, cleared as by a
 * right code, and the end of every code that still waited for it.
 */
export function vouchedFragment(sql: Sql, vouched: VouchedAddress): Fragment {
  const { tenantId, kind, value, now } = vouched;
  return sql`
    proof as materialized (
      insert into verifications (tenant_id, id, handle_hash, purpose, channel, kind, value, as_entered, locale,
        code_hash, code_length, max_attempts, created_at, last_sent_at, expires_at, consumed_at)
      values (${tenantId}::uuid, ${vouched.id}::uuid, ${vouched.handleHash as Buffer}::bytea, 'sign_in',
        ${vouched.channel}, ${kind}, ${value}, ${vouched.asEntered}, ${vouched.locale},
        ${vouched.codeHash as Buffer}::bytea, 0, 0, ${now}, ${now}, ${now}, ${now})
      returning 'proved' as state, id, purpose, channel, kind, value, as_entered, user_id, attempts, max_attempts,
        pending_registration_id, vouches_password, true as is_holder, 0 as holder_tries, false as closes_address, null::uuid as test_entry
    ),
    judged as (select * from proof),
    budget as materialized (
      insert into address_budgets as b (tenant_id, kind, value, taken_by)
      values (${tenantId}::uuid, ${kind}, ${value}, ${vouched.id}::uuid)
      on conflict (tenant_id, kind, value) do update
        set failed_at = '{}', failures_in_a_row = 0, strangers_in_a_row = 0, contested_at = null,
          closed_at = null
      returning b.kind, b.value, b.sent_at, b.failed_at, b.failures_in_a_row, false as contested, 0 as kept,
        0 as untried
    ),
    superseded as (
      delete from verifications v
      where v.tenant_id = ${tenantId}::uuid and v.kind = ${kind} and v.value = ${value}
        and v.purpose in ('sign_in', 'register') and v.consumed_at is null
    )`;
}
