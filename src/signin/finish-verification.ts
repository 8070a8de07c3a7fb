import { recordEvent } from '../audit/audit.ts';
import { type Fragment, type Sql, withConflictRetry } from '../db/database.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { claimRegistration } from '../registrations/registrations.ts';
import { type Access, addProof, liveSession } from '../sessions/sessions.ts';
import { findUser, holds, link, type PublicUser, publicUser } from '../users/users.ts';
import { type Candidate, endedCodes, readCode, type WaitingRow } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { ownersShare } from './owner.ts';
import { recordClosing } from './record-closing.ts';
import { countRefusal, recordsRefusals } from './refused-codes.ts';
import { type ProofRow, refusedProof } from './refused-proof.ts';
import { tellLockout } from './tell-lockout.ts';
import { PROOF_AGE_SECONDS } from './step-up-policy.ts';

/** A verification that a session began is finished: an address was linked, or the session proved once more. */
export interface Finished {
  ok: true;
  purpose: 'link' | 'step_up';
  user: PublicUser;
  /** step_up: by which kind of address, and how many seconds it counts. */
  proof?: { method: string; expiresIn: number };
}

interface FinishedRow extends ProofRow {
  done: boolean;
}

/**
 * Checks the code of a verification that a session began, `link` or `step_up`, in that session only. One statement
 * counts, compares and consumes it, and makes the change with its audit row and its notice: all of it, or none.
 */
export async function finishVerification(
  context: SignInContext,
  access: Access,
  input: { verificationId: string; code: string },
  clues: RequestClues,
): Promise<Finished | Refused> {
  const { tenant, userId, sessionId } = access;
  const code = readCode(input.code);
  if (code === undefined) return refuseField('/verification_code', 'A code consists of digits only.');
  const database = context.databaseOf(tenant.id);
  const waiting = await context.verifications.findByHandle(database, tenant.id, input.verificationId);
  // A code that its owner was talked into telling is worth nothing in another session; nothing is counted for it.
  if (!waiting || waiting.user_id !== userId || waiting.session_id !== sessionId) {
    return refuse('VERIFICATION_NOT_FOUND');
  }
  const candidates = context.verifications.candidatesByHandle(tenant.id, input.verificationId, code);
  const row = await withConflictRetry(() => runFinish(context, access, waiting, candidates, clues));
  if (!row) return refuse('VERIFICATION_NOT_FOUND');
  if (row.state !== 'proved') {
    countRefusal(context, row.state, clues);
    tellLockout(context, tenant, { ...row, kind: waiting.kind, value: waiting.value }, clues);
    return refusedProof(context, row);
  }
  context.delivery.spent(database, tenant.id, waiting.id);
  if (!row.done) {
    return waiting.purpose === 'link'
      ? refuse('ALREADY_REGISTERED', {}, 'This address belongs to another account.')
      : refuse('SESSION_ENDED');
  }
  if (waiting.purpose === 'link') context.notices.deliverSoon(database);
  const user = await findUser(database, tenant.id, userId);
  if (!user) return refuse('SESSION_ENDED');
  return waiting.purpose === 'link'
    ? { ok: true, purpose: 'link', user: publicUser(user) }
    : {
        ok: true,
        purpose: 'step_up',
        user: publicUser(user),
        proof: { method: waiting.kind, expiresIn: PROOF_AGE_SECONDS },
      };
}

async function runFinish(
  context: SignInContext,
  access: Access,
  waiting: WaitingRow,
  candidates: readonly Candidate[],
  clues: RequestClues,
): Promise<FinishedRow | undefined> {
  const { tenant, userId, sessionId } = access;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const change =
    waiting.purpose === 'link'
      ? linking(context, sql, access, waiting, now)
      : sql`changed as (${addProof(sql, {
          tenantId: tenant.id,
          sessionId,
          method: sql`(select kind from proof)`,
          now,
          // Not by an address that another session has just taken from the account.
          from: sql`(select 1 from proof where state = 'proved' and ${holds(sql, {
            tenantId: tenant.id,
            userId,
            kind: sql`proof.kind`,
            value: sql`proof.value`,
          })}) proved_now`,
        })})`;
  const done = waiting.purpose === 'link' ? sql`'identity.linked'` : sql`'session.proved'`;
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when exists (select from changed) then ${done}
      when proof.state = 'wrong' then 'code.wrong' else 'code.refused' end`,
    actor: sql`${`user:${userId}`}::text`,
    subject: sql`${waiting.purpose === 'link' ? `user:${userId}` : `session:${sessionId}`}::text`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('state', proof.state, 'verification_id', proof.id, 'purpose', proof.purpose,
      'kind', proof.kind, 'replaces', ${waiting.replaces_identity_id}::text)`,
    from: recordsRefusals(context, clues) ? sql`proof` : sql`proof where proof.state in ('wrong', 'proved')`,
  });
  const [row] = await sql<FinishedRow[]>`
    with ${context.verifications.prove(sql, {
      tenantId: tenant.id,
      candidates,
      caller: clues.caller.bucket,
      now,
      share: ownersShare(sql, tenant, clues, now),
    })},
      ${recordClosing(context, sql, tenant, clues, now)},
      ${claimRegistration(sql, tenant.id, now)},
      ${change},
      audited as (${audited})
    select proof.state, proof.attempts, proof.max_attempts, proof.channel, budget.sent_at, budget.failed_at,
      budget.failures_in_a_row, ${now} as now,
      budget.kept + case when proof.is_holder and proof.holder_tries = 0 then 0 else budget.untried end as kept,
      (select count(*)::int from judged where judged.state = 'wrong' and proof.state = 'wrong') as compared_wrong,
      (select count(*)::int from judged where judged.state = 'wrong' and judged.closes_address
        and proof.state = 'wrong') as closing_wrong,
      exists (select from changed) as done
    from proof join budget on budget.kind = proof.kind and budget.value = proof.value`;
  return row;
}

/** The new address becomes the account's, the one it replaces goes, and the owner is told where a thief is not. */
function linking(
  context: SignInContext,
  sql: Sql,
  access: Access,
  waiting: WaitingRow,
  now: Fragment,
): Fragment {
  const { tenant, userId, sessionId } = access;
  const replaces = waiting.replaces_identity_id;
  const entry = (name: Fragment): Fragment =>
    sql`jsonb_build_object('id', ${name}.id, 'kind', ${name}.kind, 'value', ${name}.value)`;
  const told = context.notices.tell(sql, {
    tenantId: tenant.id,
    kind: replaces === null ? 'identity_added' : 'identity_replaced',
    userId: sql`${userId}::uuid`,
    sessionId: sql`${sessionId}::uuid`,
    details: sql`jsonb_strip_nulls(jsonb_build_object('added', ${entry(sql`linked`)},
      'removed', (select to_jsonb(gone) from (
        select id, kind, value, as_entered, verified_at is not null as is_verified from replaced) gone)))`,
    now,
    from: sql`linked`,
  });
  return sql`${link(sql, {
    tenantId: tenant.id,
    userId,
    newIdentityId: context.newId(),
    replacesId: replaces,
    now,
    guard: sql`${liveSession(sql, tenant.id, sessionId)} guard`,
  })},
    changed as (select linked.id from linked),
    ${endedCodes(sql, tenant.id, sql`replaced`, now)},
    told as (${told})`;
}
