import type { Fragment, Sql } from '../db/database.ts';
import type { Purpose } from './policy.ts';

/** A new verification as a row of `given`, beside `tenant_id`, `channel` and `locale`: JSON, bytes in hexadecimal. */
export interface GivenVerification {
  id: string;
  handle_hash: string;
  purpose: Purpose;
  kind: string;
  value: string;
  as_entered: string;
  code_hash: string;
  /** Null for a decoy: there is no code. */
  code_sealed: string | null;
  code_length: number;
  user_id: string | null;
  is_decoy: boolean;
  started_by: string;
  closes_address: boolean;
  code_seconds: number;
}

/** The columns of GivenVerification, for the list of a json_to_recordset. */
export const givenVerificationColumns = (sql: Sql): Fragment => sql`
  id uuid, handle_hash text, purpose text, kind text, value text, as_entered text, code_hash text, code_sealed text,
  code_length smallint, user_id uuid, is_decoy boolean, started_by text, closes_address boolean, code_seconds float8`;

/**
 * As issueFragment, a verification for each row of `from`, a query of `given g`: it begins at once, and serves neither a
 * waiting registration nor a session. Gives the ids.
 */
export function issueEachFragment(sql: Sql, maxAttempts: number, now: Fragment, from: Fragment): Fragment {
  return sql`
    insert into verifications (tenant_id, id, handle_hash, purpose, channel, kind, value, as_entered, locale,
      code_hash, code_sealed, code_length, max_attempts, user_id, is_decoy, started_by, closes_address,
      created_at, last_sent_at, expires_at)
    select g.tenant_id, g.id, decode(g.handle_hash, 'hex'), g.purpose, g.channel, g.kind, g.value, g.as_entered, g.locale,
      decode(g.code_hash, 'hex'), decode(g.code_sealed, 'hex'), g.code_length, ${maxAttempts}::smallint, g.user_id,
      g.is_decoy, g.started_by, g.closes_address, ${now}, ${now}, ${now} + make_interval(secs => g.code_seconds)
    from ${from}
    returning id`;
}
