import { type Caller, recordEvent } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import { endFormer } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { formerHolder, idleHolder } from '../users/users.ts';
import type { SignInContext } from './context.ts';
import type { ProofSource } from './sign-in-statement.ts';

/** The parts of a sign-in's statement that look at who had a number before (S35). */
export interface RecycledNumber {
  /** After the proof: `idle`. */
  judge: Fragment;
  /** After `admitted` and `account`: what becomes of the account that the number was taken from. */
  takeOver: Fragment;
  /** Columns: `idle_verdict`, `former_id` and `former_session_ids`. */
  columns: Fragment;
}

/**
 * Phone numbers are given to other people. A number alone does not open an account that lay idle for longer than the
 * tenant allows: it asks for a second proof, or the number leaves that account and begins a new one. All of it belongs
 * to the sign-in's one statement: of two at once one takes the number, and a crash leaves either everything or nothing.
 */
export function recycledNumber(
  context: SignInContext,
  sql: Sql,
  run: { tenant: Tenant; proof: ProofSource; newUserId: string; caller: Caller; now: Fragment },
): RecycledNumber | undefined {
  const { tenant, proof, newUserId, caller, now } = run;
  const { recycledNumbers: policy } = tenant.policy;
  const wanted = proof.takesNumber ? 'take' : policy.mode;
  if (wanted === 'off') return undefined;
  const tenantId = tenant.id;
  const judge = idleHolder(sql, {
    tenantId,
    idleDays: policy.idleDays,
    wanted,
    alone: policy.alone,
    registrationOpen: tenant.policy.registration === 'open',
    passwordsEnabled: tenant.policy.passwords.enabled,
    telegramUserId: proof.link?.chatId,
    knownElsewhere: proof.link?.isOf(sql) ?? sql`false`,
    now,
  });
  const actor = sql`${`user:${newUserId}`}::text`;
  const recorded = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`'identity.taken_over'`,
    actor,
    subject: sql`'user:' || former.id`,
    caller,
    now,
    data: sql`jsonb_build_object('kind', proof.kind, 'verification_id', proof.id, 'idle_days', ${policy.idleDays}::int,
      'sessions_ended', (select count(*) from ended_of_former))`,
    from: sql`former, proof`,
  });
  const told = context.notices.tell(sql, {
    tenantId,
    kind: 'number_taken_over',
    userId: sql`former.id`,
    sessionId: sql`null::uuid`,
    used: { kind: sql`proof.kind`, value: sql`proof.value` },
    details: sql`'{}'::jsonb`,
    now,
    from: sql`former, proof`,
  });
  return {
    judge,
    takeOver: sql`${formerHolder(sql, newUserId)},
      ${endFormer(sql, { tenantId, actor, ip: caller.ip, now })},
      recorded_taking as (${recorded}),
      told_former as (${told})`,
    columns: sql`(select verdict from idle) as idle_verdict, (select id from former) as former_id,
      array(select id from ended_of_former where (select count(*) from told_of_former) >= 0) as former_session_ids`,
  };
}

/** The columns of RecycledNumber where the tenant does not ask. */
export function noRecycledNumber(sql: Sql): Fragment {
  return sql`null as idle_verdict, null as former_id, '{}'::uuid[] as former_session_ids`;
}
