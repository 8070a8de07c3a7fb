import { recordEach } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import { registrationWaits } from '../registrations/registrations.ts';
import { type GivenSession, givenSessionColumns, openEach, prepareSession } from '../sessions/sessions.ts';
import {
  admitPlain,
  type GivenPerson,
  givenPersonColumns,
  identitiesOfEntering,
  plainOf,
} from '../users/users.ts';
import { type GivenProof, givenProofColumns, judgePlain, lockPlain } from '../verification/verification.ts';
import type { SignInContext } from './context.ts';
import { mayJoin } from './joining.ts';
import { type SignInRun, type VerifiedRow } from './sign-in-statement.ts';
import { agentOf } from './tell-new-device.ts';
import { createTogether, type Together, type TogetherOptions, withoutWaiting } from './together.ts';

/** One request's row in the statement: what the folders that write it ask for, and what its events tell. */
interface PlainSignIn extends GivenProof, GivenPerson, GivenSession {
  tenant_id: string;
  audit_id: string;
  created_audit_id: string;
  ip: string;
  user_agent: string | null;
}

/** Checks codes together; gives the row that the statement of a single request would have ended with. */
export type PlainSignIns = Together<PlainSignIn, VerifiedRow>;

const AMR = ['otp'];

/**
 * The sign-ins that nothing unusual belongs to, as many as arrive together in one statement: of each the code is
 * counted, compared and consumed, the account found or made, its session opened and the events recorded, or nothing
 * (principles 1 and 2). What is unusual is left as it was, uncompared, for the statement of a single request: wrong
 * codes before, a registration that waits, a program the account was never used with, a number that lay idle, a second
 * request for the same address.
 */
export function createPlainSignIns(together: TogetherOptions): PlainSignIns {
  return createTogether<PlainSignIn, VerifiedRow>(async (database, signIns) => {
    const { sql } = database;
    const now = database.now();
    // Two codes for one verification are two attempts: the second goes alone, and is counted then.
    const first = new Map<string, PlainSignIn>();
    for (const one of signIns) if (!first.has(one.id)) first.set(one.id, one);
    const given = JSON.stringify([...first.values()]);
    const rows = await sql<VerifiedRow[]>`
      with given as materialized (
        select * from json_to_recordset(${given}::text::json) as g (
          tenant_id uuid, audit_id uuid, created_audit_id uuid, ip text, user_agent text,
          ${givenProofColumns(sql)}, ${givenPersonColumns(sql)}, ${givenSessionColumns(sql)})
        where ${withoutWaiting(sql)}
      ),
        ${lockPlain(sql, now)},
        ${plainOf(sql, registrationWaits(sql), now)},
        ${judgePlain(sql, sql`select id from plain`, now)},
        ${admitPlain(sql, now)},
        ${openEach(sql, AMR, now)},
        ${recordSignIns(sql, now)}
      select j.state, 'sign_in' as purpose, j.id as verification_id, j.kind, j.value, j.user_id as verified_user_id,
        j.attempts, j.max_attempts, j.channel, j.sent_at, '{}'::timestamptz[] as failed_at, 0 as failures_in_a_row,
        0 as kept, (j.state = 'wrong')::int as compared_wrong,
        (j.state = 'wrong' and j.closes_address)::int as closing_wrong, false as owner_told, false as password_dropped,
        null as idle_verdict, null as former_id, '{}'::uuid[] as former_session_ids,
        ${now} as now, account.id as user_id, account.role, account.first_name, account.last_name, account.username,
        account.custom_fields, account.is_active, account.is_verified, account.is_disabled, account.epoch,
        account.last_login, account.created_at, account.updated_at, account.created,
        ${identitiesOfEntering(sql)} as identities,
        opened.id as session_id, opened.device_id, opened.created_at as session_created_at,
        opened.expires_at as session_expires_at
      from judged j join given g on g.id = j.id and g.tenant_id = j.tenant_id
        left join entering account on account.verification_id = j.id left join opened on opened.id = g.session_id`;
    const byId = new Map(rows.map((row) => [row.verification_id, row]));
    return signIns.map((one) => (first.get(one.id) === one ? byId.get(one.id) : undefined));
  }, together);
}

/** One event for each code that was compared, and one for each account that it made. */
function recordSignIns(sql: Sql, now: Fragment): Fragment {
  const outcome = recordEach(sql, {
    id: sql`g.audit_id`,
    action: sql`case when opened.id is not null then 'user.signed_in' when j.state = 'wrong' then 'code.wrong'
      else 'code.refused' end`,
    actor: sql`case when e.id is null then 'anonymous' else 'user:' || e.id end`,
    subject: sql`case when opened.id is null then j.kind || ':' || j.value else 'session:' || opened.id end`,
    now,
    data: sql`jsonb_build_object('state', j.state, 'verification_id', j.id, 'channel', j.channel, 'purpose', 'sign_in')`,
    from: sql`judged j join given g on g.id = j.id and g.tenant_id = j.tenant_id
      left join entering e on e.verification_id = j.id left join opened on opened.id = g.session_id`,
  });
  const creation = recordEach(sql, {
    id: sql`g.created_audit_id`,
    action: sql`'user.created'`,
    actor: sql`'user:' || e.id`,
    subject: sql`'user:' || e.id`,
    now,
    data: sql`jsonb_build_object('verification_id', e.verification_id, 'kind', e.kind)`,
    from: sql`entering e join given g on g.id = e.verification_id and g.tenant_id = e.tenant_id where e.created`,
  });
  return sql`recorded as (${outcome}), recorded_creation as (${creation})`;
}

/** A request whose proof may be one of several in a statement: by one handle, and with nothing that needs a transaction. */
export type PlainCandidate = Pick<SignInRun, 'tenant' | 'style' | 'input' | 'clues'> & { proof: GivenProof };

/** Signs in together with others; undefined where it has to go alone. */
export async function signInPlainly(
  context: SignInContext,
  { tenant, proof, style, input, clues }: PlainCandidate,
): Promise<VerifiedRow | undefined> {
  if (input.username !== undefined || mayJoin(tenant, style, input.device?.telegramChatId)) return undefined;
  const { caller } = clues;
  const { mode, idleDays } = tenant.policy.recycledNumbers;
  return context.plainSignIns.write(context.databaseOf(tenant.id), {
    ...proof,
    tenant_id: tenant.id,
    audit_id: context.newId(),
    created_audit_id: context.newId(),
    ip: caller.ip,
    user_agent: caller.userAgent ?? null,
    user_id: context.newId(),
    identity_id: context.newId(),
    registration_open: tenant.policy.registration === 'open',
    first_name: input.first_name ?? null,
    last_name: input.last_name ?? null,
    agent: agentOf(caller),
    idle_days: mode === 'off' ? null : idleDays,
    ...prepareSession(context.newId, { tenant, style, device: input.device, caller }),
  });
}
