import { recordEvent } from '../audit/audit.ts';
import type { Database, Fragment, Sql } from '../db/database.ts';
import { toldByTelegram } from '../chats/chats.ts';
import { claimRegistration } from '../registrations/registrations.ts';
import type { Joining, SessionStyle } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { admit, type IdleVerdict, passwordDropped } from '../users/users.ts';
import type { GivenProof, Purpose } from '../verification/verification.ts';
import type { ChatToLink } from './chat-link.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { noRecycledNumber, recycledNumber } from './recycled-number.ts';
import { recordsRefusals } from './refused-codes.ts';
import type { ProofRow } from './refused-proof.ts';
import { signedInColumns, type SignedInRow } from './signed-in.ts';
import { agentOf, tellNewDevice } from './tell-new-device.ts';

/** What a sign-in may tell beside its proof. */
export interface SignInInput {
  first_name?: string;
  last_name?: string;
  username?: string;
  /** `telegramChatId`: it is a chat, and the caller is its bot. Never from a request. */
  device?: { name?: string; kind?: string; telegramChatId?: string };
  style?: SessionStyle;
}

/** What the statement ended with. */
export interface VerifiedRow extends SignedInRow, ProofRow {
  now: Date;
  purpose: Purpose;
  verification_id: string;
  kind: string;
  value: string;
  verified_user_id: string | null;
  owner_told: boolean;
  password_dropped: boolean | null;
  /** What becomes of a number whose account lay idle; null where it did not. */
  idle_verdict: IdleVerdict | null;
  /** The account that the number was taken from, and its sessions that ended. */
  former_id: string | null;
  former_session_ids: string[];
}

/** How an address is proved. */
export interface ProofSource {
  /** The entries of the statement that end in `proof` and `budget`. */
  fragment: (sql: Sql, now: Fragment) => Fragment;
  /** Locks the account that has the address. */
  lock: (sql: Sql) => Promise<{ id: string; role: string } | undefined>;
  amr: readonly string[];
  /** Found by the handle, not by the address alone? */
  byHandle: boolean;
  /** A single handle and code of ours, which may be checked together with others. */
  plain?: GivenProof | undefined;
  /** Whose code a provider may have made, what was typed, and the proof once that provider has said yes. */
  elsewhere?: { ids: readonly string[]; code: string; approved: ProofSource };
  /** Its holder wants a new account, whoever had the number before. */
  takesNumber?: boolean;
  /** The chat that the account belongs to from then on. */
  link?: ChatToLink;
}

/** What the statement is made of. */
export interface SignInRun {
  tenant: Tenant;
  proof: ProofSource;
  /** Verifications whose code a provider made: a code that is not ours is asked about, not wrong yet. */
  asked: readonly string[];
  style: SessionStyle;
  joining: Joining | undefined;
  input: SignInInput;
  /** False once a name turned out to be somebody else's. */
  withUsernames: boolean;
  /** Could the address be a Telegram account? */
  mayBeTelegram: boolean;
  clues: RequestClues;
}

/** The statement: proof → account → session, each contributed by the folder that owns the tables. */
export async function runProof(
  context: SignInContext,
  database: Database,
  sql: Sql,
  run: SignInRun,
): Promise<VerifiedRow | undefined> {
  const { tenant, input, clues } = run;
  const now = database.now();
  const { caller } = clues;
  // By handle the address is only known inside the statement.
  const newUserId = context.newId();
  const recycled = recycledNumber(context, sql, { tenant, proof: run.proof, newUserId, caller, now });
  const told = context.telegram.has(tenant.id) && run.mayBeTelegram;
  const opened = context.sessions.open(sql, {
    tenant,
    style: run.style,
    amr: run.proof.amr,
    device: input.device,
    caller,
    provedBy: sql`(select kind from proof)`,
    joining: run.joining,
    now,
  });
  const outcome = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when opened.id is not null then 'user.signed_in'
      when proof.state = 'proved' and (proof.purpose = 'recover'${recycled ? sql` or exists (select from idle)` : sql``})
        then 'code.proved'
      when proof.state = 'wrong' and proof.id = any(${[...run.asked]}::uuid[]) then 'code.asked'
      when proof.state = 'wrong' then 'code.wrong' else 'code.refused' end`,
    actor: sql`case when account.id is null then 'anonymous' else 'user:' || account.id end`,
    subject: sql`case when opened.id is null then proof.kind || ':' || proof.value else 'session:' || opened.id end`,
    caller,
    now,
    data: sql`jsonb_build_object('state', proof.state, 'verification_id', proof.id, 'channel', proof.channel,
      'purpose', proof.purpose) || case when proof.test_entry is null then '{}'::jsonb
      else jsonb_build_object('test_address', true) end${
        recycled
          ? sql` || coalesce((select jsonb_build_object('idle', verdict) from idle where verdict is not null), '{}')`
          : sql``
      }`,
    from: sql`proof left join account on true left join opened on true
      where ${recordsRefusals(context, run.clues)}::boolean or proof.state in ('wrong', 'proved')`,
  });
  const creation = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`'user.created'`,
    actor: sql`'user:' || account.id`,
    subject: sql`'user:' || account.id`,
    caller,
    now,
    data: sql`jsonb_build_object('verification_id', proof.id, 'kind', proof.kind)`,
    from: sql`account, proof where account.created`,
  });
  const [row] = await sql<VerifiedRow[]>`
    with ${run.proof.fragment(sql, now)},
      ${claimRegistration(sql, tenant.id, now)},
      ${told ? sql`${toldByTelegram(sql, tenant.id)},` : sql``}
      ${recycled ? sql`${recycled.judge},` : sql``}
      ${admit(sql, {
        tenantId: tenant.id,
        newUserId,
        newIdentityId: context.newId(),
        registrationOpen: tenant.policy.registration === 'open',
        firstName: input.first_name ?? null,
        lastName: input.last_name ?? null,
        username: run.withUsernames ? (input.username ?? null) : null,
        takeWaitingUsername: run.withUsernames,
        toldByTelegram: told,
        byHandle: run.proof.byHandle,
        agent: agentOf(caller),
        opensSession: run.joining?.sessionId === undefined,
        mayBeIdle: recycled !== undefined,
        now,
      })},
      ${opened.fragment},
      ${recycled ? sql`${recycled.takeOver},` : sql``}
      ${run.proof.link?.fragment(sql, now) ?? sql``}
      recorded as (${outcome}),
      recorded_creation as (${creation}),
      told_owner as (${tellNewDevice(context, sql, {
        tenantId: tenant.id,
        deviceName: opened.deviceName,
        caller,
        used: { kind: sql`proof.kind`, value: sql`proof.value` },
        now,
        from: sql`account, opened, proof`,
      })})
    select proof.state, proof.purpose, proof.id as verification_id, proof.kind, proof.value,
      proof.user_id as verified_user_id, proof.attempts,
      proof.max_attempts, proof.channel, budget.sent_at, budget.failed_at, budget.failures_in_a_row,
      budget.kept + case when proof.is_holder and proof.holder_tries = 0 then 0 else budget.untried end as kept,
      (select count(*)::int from judged where judged.state = 'wrong' and proof.state = 'wrong') as compared_wrong,
      (select count(*)::int from judged where judged.state = 'wrong' and judged.closes_address
        and proof.state = 'wrong') as closing_wrong,
      exists (select from told_owner) as owner_told,
      account.id is not null and ${passwordDropped(sql, tenant.id)} as password_dropped,
      ${recycled?.columns ?? noRecycledNumber(sql)},
      ${signedInColumns(sql, tenant.id, now)}
    from proof join budget on budget.kind = proof.kind and budget.value = proof.value
      left join account on true left join opened on true`;
  return row;
}
