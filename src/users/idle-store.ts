import type { Fragment, Sql } from '../db/database.ts';

/** What becomes of a proved number whose account lay idle. `refuse`: nobody but an administrator can help. */
export type IdleVerdict = 'ask' | 'take' | 'refuse';

export interface IdleQuery {
  tenantId: string;
  idleDays: number;
  /** What the tenant wants of such a number; `take`: its holder has asked for a new account. */
  wanted: 'second_proof' | 'new_account' | 'take';
  /** second_proof, and there is no other way. */
  alone: 'new_account' | 'sign_in';
  registrationOpen: boolean;
  passwordsEnabled: boolean;
  /** SQL of type boolean over `u`: this sign-in proves more than the number. */
  knownElsewhere: Fragment;
  /** The Telegram account that proves the number, if one does. */
  telegramUserId: string | undefined;
  now: Fragment;
}

/**
 * An entry of a `with` list after `proof`: `idle` (id, verdict), one row where a phone number alone was proved and its
 * account was not signed in to for so many days. A row for which the tenant wants nothing has the verdict null.
 *
 * The account's row is locked before it is judged, and judged as it is then: its owner may sign in another way in the
 * same moment. Accounts that are closed stay closed whoever has the number; one that was brought in and never signed in
 * here is opened by its first proof, as its import promised.
 */
export function idleFragment(sql: Sql, query: IdleQuery): Fragment {
  const { tenantId, now } = query;
  const identity = sql`identities i where i.tenant_id = ${tenantId}::uuid and i.kind = 'phone' and i.value = (
    select value from proof where state = 'proved' and kind = 'phone' and purpose in ('sign_in', 'register', 'recover'))`;
  return sql`
    idle as materialized (
      select found.id, case
          when ${query.wanted}::text = 'take' then 'take'
          when proof.purpose = 'recover' then case when found.by_address then 'ask'
            when ${query.wanted}::text = 'second_proof' and ${query.alone}::text = 'sign_in' then null else 'refuse' end
          when ${query.wanted}::text = 'second_proof' and (found.by_address or found.by_password) then 'ask'
          when ${query.wanted}::text = 'second_proof' and ${query.alone}::text = 'sign_in' then null
          when ${query.registrationOpen}::boolean then 'take'
          else 'refuse' end as verdict
      from proof, (
        select u.id, exists (select from identities other where other.tenant_id = ${tenantId}::uuid
            and other.user_id = u.id and other.kind <> 'phone' and other.verified_at is not null) as by_address,
          ${query.passwordsEnabled}::boolean and u.password_hash is not null as by_password
        from users u
        where u.tenant_id = ${tenantId}::uuid and u.id = (select i.user_id from ${identity}) and not u.is_disabled
          and u.test_entry is null
          and u.last_login < ${now} - make_interval(days => ${query.idleDays})
          and not ${query.knownElsewhere} and not exists (select from identities own where own.tenant_id = ${tenantId}::uuid
            and own.kind = 'telegram' and own.value = ${query.telegramUserId ?? null}::text and own.user_id = u.id
            and own.verified_at is not null)
        for update of u
      ) found
    )`;
}

/**
 * Entries of a `with` list after `admitted`: `former` (id), the account that a number was taken from by this very
 * statement, whose password and data nobody reaches by that number any more.
 */
export function formerFragment(sql: Sql, newUserId: string): Fragment {
  return sql`
    former as materialized (
      select idle.id from idle, admitted where idle.verdict = 'take' and admitted.user_id = ${newUserId}::uuid
    )`;
}
