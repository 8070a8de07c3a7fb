import type { Fragment, Sql } from '../db/database.ts';

/** How somebody was proved in a session: by a code to an address of that kind, or by the password. */
export type ProofMethod = 'phone' | 'email' | 'telegram' | 'password';

export interface SessionProofs {
  role: string;
  /** The methods whose proof is recent enough. */
  methods: ProofMethod[];
  has_password: boolean;
  /** When the session began, and the moment of the question. */
  began_at: Date;
  now: Date;
}

/**
 * The recent proofs of a live session, and what its account must be judged by; undefined when the session has ended.
 * The session's row stays locked for the transaction: one that is being ended cannot change anything any more.
 * @param ageSeconds how old a proof may be
 */
export async function readProofs(
  sql: Sql,
  query: { tenantId: string; sessionId: string; ageSeconds: number; now: Fragment },
): Promise<SessionProofs | undefined> {
  const [row] = await sql<SessionProofs[]>`
    select u.role, u.password_hash is not null as has_password, s.created_at as began_at, ${query.now} as now,
      array(select key from jsonb_each_text(s.proofs) proof
        where proof.value::timestamptz >= ${query.now} - make_interval(secs => ${query.ageSeconds})) as methods
    from sessions s join users u on u.tenant_id = s.tenant_id and u.id = s.user_id
    where s.tenant_id = ${query.tenantId}::uuid and s.id = ${query.sessionId}::uuid and s.revoked_at is null
      and s.expires_at > ${query.now} and not u.is_disabled
    for share of s`;
  return row;
}

/** `update …` for a `with` list: the session was proved once more. `from` gives a row where it was. Gives its id. */
export function addProof(
  sql: Sql,
  proof: { tenantId: string; sessionId: string; method: Fragment; now: Fragment; from: Fragment },
): Fragment {
  return sql`
    update sessions s set proofs = s.proofs || jsonb_build_object(${proof.method}, ${proof.now})
    from ${proof.from}
    where s.tenant_id = ${proof.tenantId}::uuid and s.id = ${proof.sessionId}::uuid and s.revoked_at is null
    returning s.id`;
}

/** Every session of the account must prove itself anew before its next sensitive change. */
export async function clearProofs(sql: Sql, tenantId: string, userId: string): Promise<void> {
  await sql`
    update sessions set proofs = '{}'
    where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid and revoked_at is null and proofs <> '{}'`;
}

/** `select …` for the `from` list of a statement: one row while the session lives, which then cannot end before it. */
export function liveSession(sql: Sql, tenantId: string, sessionId: string): Fragment {
  return sql`(select s.id from sessions s where s.tenant_id = ${tenantId}::uuid and s.id = ${sessionId}::uuid
    and s.revoked_at is null for share of s)`;
}
