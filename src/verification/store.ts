import { type Database, type Fragment, hexArray, type Sql } from '../db/database.ts';
import type { Purpose } from './policy.ts';
import { type TestEntry, testCodeParts } from './test-code-store.ts';

export interface IssueRow {
  tenantId: string;
  id: string;
  handleHash: Uint8Array;
  purpose: Purpose;
  channel: string;
  kind: string;
  value: string;
  asEntered: string;
  locale: string;
  codeHash: Uint8Array;
  /** Null for a decoy: there is no code. */
  codeSealed: Uint8Array | null;
  codeLength: number;
  maxAttempts: number;
  lifetimeSeconds: number;
  userId: string | null;
  /** SQL of type uuid: the registration its proof completes, or null. */
  pendingRegistrationId: Fragment;
  /** Did whoever starts it type the waiting password? */
  vouchesPassword: boolean;
  isDecoy: boolean;
  /** link and step_up: only this session may finish it. */
  sessionId: string | null;
  /** link: the address that the proved one takes the place of. */
  replacesIdentityId: string | null;
  /** The caller's network: guesses by the address alone count less against a code of somebody else's. */
  startedBy: string;
  /** The entry whose fixed code it has; null: its code was made for it. */
  testEntry: string | null;
  /** SQL of type boolean: does what is guessed wrong count toward the 100 in a row? */
  closesAddress: Fragment;
  /** SQL after `from`: one row with `due`, if the send was allowed. */
  from: Fragment;
}

/** `insert …` for a `with` list: a verification that begins when its send is due. Gives its id. */
export function issueFragment(sql: Sql, row: IssueRow): Fragment {
  return sql`
    insert into verifications (tenant_id, id, handle_hash, purpose, channel, kind, value, as_entered, locale,
      code_hash, code_sealed, code_length, max_attempts, user_id, pending_registration_id, vouches_password, is_decoy,
      session_id, replaces_identity_id, started_by, closes_address, test_entry, created_at, last_sent_at, expires_at)
    select ${row.tenantId}::uuid, ${row.id}::uuid, ${row.handleHash as Buffer}::bytea, ${row.purpose},
      ${row.channel}, ${row.kind}, ${row.value}, ${row.asEntered}, ${row.locale}, ${row.codeHash as Buffer}::bytea,
      ${row.codeSealed as Buffer | null}::bytea, ${row.codeLength}, ${row.maxAttempts}, ${row.userId}::uuid,
      ${row.pendingRegistrationId}, ${row.vouchesPassword}, ${row.isDecoy},
      ${row.sessionId}::uuid, ${row.replacesIdentityId}::uuid, ${row.startedBy}, ${row.closesAddress},
      ${row.testEntry}::uuid, due, due,
      due + make_interval(secs => ${row.lifetimeSeconds})
    from ${row.from}
    returning id`;
}

/** `update …` for a `with` list after `budget` (taken): the same code goes out once more. Gives the id. */
export function resentFragment(
  sql: Sql,
  tenantId: string,
  id: string,
  channel: string,
  now: Fragment,
): Fragment {
  return sql`
    update verifications v set sends = v.sends + 1, last_sent_at = ${now}, channel = ${channel}
    from budget
    where budget.taken and v.tenant_id = ${tenantId}::uuid and v.id = ${id}::uuid
      and v.consumed_at is null and v.expires_at > ${now} and v.attempts < v.max_attempts
    returning v.id`;
}

export interface TakenUp {
  tenantId: string;
  id: string;
  channel: string;
  /** Replaces the handle: who types the waiting password again holds it from then on. Null: it stays. */
  handleHash: Uint8Array | null;
  now: Fragment;
}

/**
 * `update …` for a `with` list after `budget`: whoever started a verification comes back to it. The same code goes out
 * once more if the budget was taken. Gives the id while the verification lives.
 */
export function takenUpFragment(sql: Sql, { tenantId, id, channel, handleHash, now }: TakenUp): Fragment {
  return sql`
    update verifications v set handle_hash = coalesce(${handleHash as Buffer | null}::bytea, v.handle_hash),
      sends = v.sends + budget.taken::int, channel = case when budget.taken then ${channel} else v.channel end,
      last_sent_at = case when budget.taken then ${now} else v.last_sent_at end
    from budget
    where v.tenant_id = ${tenantId}::uuid and v.id = ${id}::uuid
      and v.consumed_at is null and v.expires_at > ${now} and v.attempts < v.max_attempts
    returning v.id`;
}

export interface WaitingRow {
  id: string;
  purpose: Purpose;
  channel: string;
  kind: string;
  value: string;
  as_entered: string;
  locale: string;
  code_sealed: Buffer | null;
  code_length: number;
  user_id: string | null;
  session_id: string | null;
  replaces_identity_id: string | null;
  pending_registration_id: string | null;
  vouches_password: boolean;
  is_decoy: boolean;
  /** Its code is the fixed one of a test address: it is never sent. */
  test_entry: string | null;
  attempts_left: number;
  expires_in: number;
  /** Whole seconds since it was last sent; negative while it waits for its turn. */
  sent_ago: number;
  state: 'live' | 'used' | 'expired' | 'dead';
}

const waitingColumns = (sql: Sql, now: Fragment): Fragment => sql`
  id, purpose, channel, kind, value, as_entered, locale, code_sealed, code_length, user_id, session_id,
  replaces_identity_id, pending_registration_id, vouches_password, is_decoy, test_entry,
  (max_attempts - attempts)::int as attempts_left, ceil(extract(epoch from expires_at - ${now}))::int as expires_in,
  floor(extract(epoch from ${now} - last_sent_at))::int as sent_ago,
  case when consumed_at is not null then 'used' when expires_at <= ${now} then 'expired'
    when attempts >= max_attempts then 'dead' else 'live' end as state`;

/** The verification a handle names, if it was made for this tenant and is at most `lifeSeconds` old. */
export async function readByHandle(
  database: Database,
  tenantId: string,
  id: string,
  handleHashes: readonly Uint8Array[],
  lifeSeconds: number,
): Promise<WaitingRow | undefined> {
  const { sql } = database;
  const now = database.now();
  const [row] = await sql<WaitingRow[]>`
    select ${waitingColumns(sql, now)} from verifications
    where tenant_id = ${tenantId} and id = ${id} and handle_hash in (select decode(hash, 'hex') from unnest(${hexArray(handleHashes)}::text[]) hash)
      and created_at > ${now} - make_interval(secs => ${lifeSeconds})`;
  return row;
}

/** The newest verifications of an address, newest first; any state. */
export function readByAddress(
  database: Database,
  address: { tenantId: string; kind: string; value: string; purposes: readonly Purpose[] },
  lifeSeconds: number,
  limit: number,
): Promise<WaitingRow[]> {
  const { sql } = database;
  const now = database.now();
  return sql<WaitingRow[]>`
    select ${waitingColumns(sql, now)} from verifications
    where tenant_id = ${address.tenantId} and kind = ${address.kind} and value = ${address.value}
      and purpose = any(${address.purposes as Purpose[]}::text[]) and consumed_at is null
      and created_at > ${now} - make_interval(secs => ${lifeSeconds})
    order by id desc limit ${limit}`;
}

/** One verification a given code may be for. `handleHash` null: it was found by its address. */
export interface Candidate {
  id: string;
  handleHash: Uint8Array | null;
  codeHash: Uint8Array;
}

export interface ProofQuery {
  tenantId: string;
  candidates: readonly Candidate[];
  now: Fragment;
  /** Number over `b`, the address's row of address_budgets: how many comparisons are left? */
  comparisonsLeft: Fragment;
  /** Number over `b`: comparisons kept for the owner from this caller; and wrong codes in a row as they count now. */
  kept: Fragment;
  /** Number over `b`: codes that their holders have not tried yet. */
  untried: Fragment;
  failuresInARow: Fragment;
  /** So many in a row close the address. */
  inARow: number;
  /** The caller's network. */
  caller: string;
  /** Fixed codes that may be used, by their bounds. */
  testEntries: readonly TestEntry[];
}

/** Of the five comparisons of a code, so many stay to whoever holds its handle when strangers guess by the address. */
const KEPT_FOR_ITS_HANDLE = 2;

/**
 * How many codes of the address in `b` their holders have not tried yet: each keeps one comparison, so that whoever
 * holds it gets to type it (ASVS 6.1.1).
 */
export function untriedCodes(sql: Sql, now: Fragment): Fragment {
  return sql`(select count(*)::int from verifications untried
    where untried.tenant_id = b.tenant_id and untried.kind = b.kind and untried.value = b.value
      and untried.holder_tries = 0 and untried.consumed_at is null and untried.expires_at > ${now})`;
}

/**
 * The entries of a `with` list that count, then compare, then consume (principle 1), ending in `proof`: no row when
 * nothing fits, else one with state `proved`, `wrong`, `budget`, `dead`, `expired` or `used`.
 *
 * `budget` locks the address's one budget row and with it every other check and send of that address. What follows
 * reads rows through their locks, so it sees the newest version whatever the statement's snapshot.
 *
 * Rows are found by scalar subqueries, not joins: every key column is then an index condition in any plan, also in one
 * made while the tables were empty and kept by a connection for its life.
 */
export function proofFragment(sql: Sql, query: ProofQuery): Fragment {
  const { tenantId, now, candidates } = query;
  const tests = testCodeParts(sql, { tenantId, entries: query.testEntries, now });
  return sql`
    candidate as materialized (
      select id, decode(handle_hash, 'hex') as handle_hash, decode(code_hash, 'hex') as code_hash
      from unnest(${candidates.map((candidate) => candidate.id)}::uuid[],
        ${hexArray(candidates.map((candidate) => candidate.handleHash))}::text[],
        ${hexArray(candidates.map((candidate) => candidate.codeHash))}::text[]) as c (id, handle_hash, code_hash)
    ),
    target as materialized (
      select v.id, v.kind, v.value from verifications v
      where v.tenant_id = ${tenantId}::uuid and v.id = any(${candidates.map((candidate) => candidate.id)}::uuid[])
        and exists (select from candidate c
          where c.id = v.id and (c.handle_hash is null or c.handle_hash = v.handle_hash))
    ),
    budget as materialized (
      select b.kind, b.value, b.sent_at, b.failed_at, ${query.failuresInARow} as failures_in_a_row, b.closed_at,
        case when b.failed_at = '{}' then 0 else ${query.kept} end as kept,
        case when b.failed_at = '{}' then 0
          else ${query.untried} end as untried,
        coalesce(b.contested_at > ${now} - interval '1 day', false) as contested,
        ${query.comparisonsLeft} as comparisons_left
      from address_budgets b
      where b.tenant_id = ${tenantId}::uuid
        and b.kind = (select kind from target limit 1) and b.value = (select value from target limit 1)
      for update of b
    ),
    ${tests.lock}
    locked as materialized (
      select v.id, v.purpose, v.channel, v.kind, v.value, v.as_entered, v.user_id, v.attempts, v.max_attempts,
        v.expires_at, v.consumed_at, v.pending_registration_id, v.vouches_password, v.closes_address, v.holder_tries, v.test_entry,
        exists (select from candidate c where c.id = v.id and c.handle_hash is not null)
          or v.started_by is null or v.started_by = ${query.caller} as is_holder,
        exists (select from candidate c where c.id = v.id and c.code_hash = v.code_hash) as matches
      from verifications v
      where v.tenant_id = ${tenantId}::uuid and v.id = any(array(select id from target))
        and exists (select from budget)
      order by v.id for update of v
    ),
    judged as materialized (
      select l.*, case
          when l.consumed_at is not null then 'used'
          when l.expires_at <= ${now} then 'expired'
          when l.test_entry is not null and not ${tests.mayBeUsed} then 'expired'
          when l.attempts >= l.max_attempts then 'dead'
          when not l.is_holder and l.attempts >= l.max_attempts - ${KEPT_FOR_ITS_HANDLE}::int then 'dead'
          when budget.failures_in_a_row + l.place > ${query.inARow}::int then 'budget'
          when l.place > budget.comparisons_left - budget.kept
            - case when l.is_holder and l.holder_tries = 0 then 0 else budget.untried end then 'budget'
          when l.matches then 'proved'
          else 'wrong' end as state
      from (select *, row_number() over (order by id desc) as place from locked) l, budget
    ),
    proof as materialized (
      select * from judged
      order by array_position(array['proved', 'wrong', 'budget', 'dead', 'expired', 'used'], state), id desc
      limit 1
    ),
    counted as (
      update verifications v set attempts = v.attempts + 1,
        holder_tries = v.holder_tries + (select judged.is_holder::int from judged where judged.id = v.id),
        consumed_at = case when (select state from proof) = 'proved' then ${now} end,
        code_sealed = case when (select state from proof) = 'proved' then null else v.code_sealed end
      where v.tenant_id = ${tenantId}::uuid and v.id = any(array(
        select judged.id from judged, proof
        where judged.state = 'wrong' and proof.state = 'wrong' or judged.state = 'proved' and judged.id = proof.id))
      returning v.id
    ),
    superseded as (
      delete from verifications v
      where v.tenant_id = ${tenantId}::uuid
        and v.kind = (select kind from proof where state = 'proved' and purpose in ('sign_in', 'register', 'recover', 'link'))
        and v.value = (select value from proof) and v.id <> (select id from proof)
        and v.purpose in ('sign_in', 'register') and v.consumed_at is null
    ),
    remembered as (
      update address_budgets b set
        failed_at = case when (select state from proof) = 'proved' then '{}' else array(
          select moment from unnest(b.failed_at) moment where moment > ${now} - interval '1 day' order by moment
        ) || array_fill(${now}, array[(select count(*)::int from judged where state = 'wrong')]) end,
        (failures_in_a_row, closed_at) = (
          select in_a_row, case when in_a_row < ${query.inARow}::int then null
            when budget.failures_in_a_row >= ${query.inARow}::int then b.closed_at else ${now} end
          from budget, lateral (select case when (select state from proof) = 'proved' then 0
            else budget.failures_in_a_row + (select count(*)::int from judged
              where state = 'wrong' and closes_address) end as in_a_row) counted_on),
        strangers_in_a_row = case when (select state from proof) = 'proved' then 0 else b.strangers_in_a_row
          + (select count(*)::int from judged where state = 'wrong' and not closes_address) end,
        contested_at = case when (select state from proof) = 'proved' then null else b.contested_at end
      where b.tenant_id = ${tenantId}::uuid
        and b.kind = (select kind from proof where state in ('wrong', 'proved')) and b.value = (select value from proof)
        and ((select state from proof) = 'wrong' or b.failures_in_a_row > 0 or b.strangers_in_a_row > 0 or b.failed_at <> '{}'
          or b.contested_at is not null) returning b.kind, b.value, b.failures_in_a_row
    )${tests.count}`;
}

/** What a reset token names, if it may still be spent. */
export async function readResettable(
  database: Database,
  tenantId: string,
  id: string,
  lifeSeconds: number,
): Promise<
  { kind: string; value: string; user_id: string | null; purpose: Purpose; is_fresh: boolean } | undefined
> {
  const { sql } = database;
  const [row] = await sql<
    { kind: string; value: string; user_id: string | null; purpose: Purpose; is_fresh: boolean }[]
  >`
    select kind, value, user_id, purpose,
      consumed_at > ${database.now()} - make_interval(secs => ${lifeSeconds}) as is_fresh
    from verifications
    where tenant_id = ${tenantId} and id = ${id} and consumed_at is not null and reset_at is null`;
  return row;
}

/** `update …` for a `with` list: spends a proof on a new password, once and in time. Gives the id, or no row. */
export function spendResetFragment(
  sql: Sql,
  spend: { tenantId: string; id: string; lifeSeconds: number; now: Fragment },
): Fragment {
  return sql`
    update verifications set reset_at = ${spend.now}
    where tenant_id = ${spend.tenantId}::uuid and id = ${spend.id}::uuid and consumed_at is not null
      and reset_at is null and consumed_at > ${spend.now} - make_interval(secs => ${spend.lifeSeconds})
    returning id`;
}

/** Removes verifications that ended before the given age; those that made an account are told of by the audit. */
export async function sweepVerifications(
  database: Database,
  olderThanSeconds: number,
  batch: number,
): Promise<number> {
  const result = await database.sql`
    delete from verifications where (tenant_id, id) in (
      select tenant_id, id from verifications
      where created_at < ${database.now()} - make_interval(secs => ${olderThanSeconds})
      order by tenant_id, id limit ${batch} for update skip locked)`;
  return result.count;
}

/** A query of kind and value: the address that these verifications are of. */
export function addressQuery(sql: Sql, tenantId: string, ids: readonly string[]): Fragment {
  return sql`
    select v.kind, v.value from verifications v
    where v.tenant_id = ${tenantId}::uuid and v.id = any(${ids as string[]}::uuid[])`;
}

/**
 * Of the codes that went to phones within so many seconds, the youngest left out: how many to each range of ten
 * thousand numbers, and how many of them were typed. Ids begin with their time, so the primary key finds them.
 */
export function readSentAndTyped(
  database: Database,
  tenantId: string,
  fromId: string,
  youngestSeconds: number,
): Promise<{ prefix: string; sent: number; verified: number }[]> {
  const { sql } = database;
  return sql<{ prefix: string; sent: number; verified: number }[]>`
    select left(value, -4) as prefix, sum(sends)::int as sent, count(consumed_at)::int as verified
    from verifications
    where tenant_id = ${tenantId} and id >= ${fromId}::uuid and kind = 'phone' and channel in ('sms', 'voice')
      and not is_decoy and (consumed_at is not null
        or created_at < ${database.now()} - make_interval(secs => ${youngestSeconds}))
    group by 1`;
}
