import { recordEvent } from '../audit/audit.ts';
import { type Database, type Fragment, isUniqueViolation, type Sql } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { claimRegistration } from '../registrations/registrations.ts';
import type { Joining, SessionStyle } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { admit, findUser, lockHolder, publicUser, USERNAME_INDEX } from '../users/users.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { withJoining } from './joining.ts';
import { linkAddress } from './link-address.ts';
import { chooseLocale } from './send-verification.ts';
import { type SignedIn, signedIn, signedInColumns, type SignedInRow } from './signed-in.ts';
import { agentOf, tellNewDevice } from './tell-new-device.ts';

/** A proof of an address that somebody trusted has told us of, to be taken once. */
export interface Attested {
  tenant: Tenant;
  kind: 'telegram' | 'phone';
  /** The address, as `spent` will give it. */
  value: string;
  /** Another address that the same proof proves: added to the account in the same transaction, if nobody has it. */
  also?: { kind: 'telegram' | 'phone'; value: string } | undefined;
  /** `with` entry `spent`: takes the proof, once; one row with `value`, or none when it was taken before. */
  spend: (sql: Sql, now: Fragment) => Fragment;
  /** How it came, for the audit: `link`, `init_data`, `widget` or `openid`. */
  way: string;
  /** As Telegram told them. */
  names: { firstName: string | null; lastName: string | null; username: string | null };
  device: { name?: string; kind?: string } | undefined;
  style: SessionStyle | undefined;
}

/** How a session that began with Telegram is told apart (RFC 8176 has no word for it). */
const TELEGRAM_AMR = ['telegram'] as const;

/**
 * Signs in by a proof that needed no code of ours. One statement takes the proof, writes the verification that it
 * consumes, finds or makes the account, opens the session and records what happened (I1, I2): all of it, or none.
 * Undefined: the proof was taken before.
 */
export async function signInAttested(
  context: SignInContext,
  attested: Attested,
  clues: RequestClues,
): Promise<SignedIn | Refused | undefined> {
  const { tenant } = attested;
  const database = context.databaseOf(tenant.id);
  const style = attested.style ?? tenant.policy.sessionStyle;
  const lock = (sql: Sql) => lockHolder(sql, tenant.id, sql`select ${attested.kind}, ${attested.value}`);
  const run = (withUsername: boolean) =>
    withJoining(context, database, { tenant, style, lock }, (sql, joining) =>
      runWhole(context, database, sql, { attested, style, joining, withUsername, clues }),
    );
  let row: AttestedRow | undefined;
  try {
    row = await run(true);
  } catch (fault) {
    // The name is somebody else's here. Nothing of the statement was kept; the sign-in goes on without the name.
    if (!isUniqueViolation(fault, USERNAME_INDEX)) throw fault;
    row = await run(false);
  }
  if (!row) return undefined;
  const { user_id: userId, session_id: sessionId } = row;
  if (userId === null) return refuse('REGISTRATION_CLOSED');
  if (sessionId === null) return refuse('ACCOUNT_DISABLED');
  if (row.owner_told) context.notices.deliverSoon(database);
  const found = { ...row, user_id: userId, session_id: sessionId };
  const outcome = await signedIn(context, tenant, found, { style, amr: TELEGRAM_AMR });
  if (!attested.also) return outcome;
  const user = await findUser(database, tenant.id, userId);
  return user ? { ...outcome, user: publicUser(user) } : outcome;
}

interface AttestedRow extends SignedInRow {
  owner_told: boolean;
}

interface Run {
  attested: Attested;
  style: SessionStyle;
  joining: Joining | undefined;
  withUsername: boolean;
  clues: RequestClues;
}

/** The statement, and what else was proved in the same transaction. */
async function runWhole(
  context: SignInContext,
  database: Database,
  sql: Sql,
  run: Run,
): Promise<AttestedRow | undefined> {
  const { tenant, also, way } = run.attested;
  if (!also) return runAttested(context, database, sql, run);
  const both = async (begun: Sql): Promise<AttestedRow | undefined> => {
    const row = await runAttested(context, database, begun, run);
    if (!row || row.user_id === null || row.session_id === null) return row;
    const access = { tenant, userId: row.user_id, sessionId: row.session_id };
    const spend = (): Fragment => begun`select ${also.value}::text as value`;
    const link = { access, kind: also.kind, spend, way, tellsOwner: !row.created };
    const linked = await linkAddress(context, begun, link, run.clues);
    return { ...row, owner_told: row.owner_told || linked === 'linked' };
  };
  if (sql !== database.sql) return both(sql);
  return database.transaction((transaction) => both(transaction as unknown as Sql));
}

async function runAttested(
  context: SignInContext,
  database: Database,
  sql: Sql,
  run: Run,
): Promise<AttestedRow | undefined> {
  const { attested, style, clues } = run;
  const { tenant, names, kind } = attested;
  const tenantId = tenant.id;
  const { caller } = clues;
  const now = database.now();
  const locale = chooseLocale(tenant, undefined, clues);
  const opened = context.sessions.open(sql, {
    tenant,
    style,
    amr: TELEGRAM_AMR,
    device: attested.device,
    caller,
    provedBy: sql`${kind}::text`,
    joining: run.joining,
    now,
  });
  const attestation = context.verifications.attest(sql, {
    tenantId,
    purpose: 'sign_in',
    userId: null,
    kind,
    locale,
    channel: 'telegram',
    value: sql`spent.value`,
    now,
  });
  const outcome = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when opened.id is not null then 'user.signed_in' else 'telegram.refused' end`,
    actor: sql`case when account.id is null then 'anonymous' else 'user:' || account.id end`,
    subject: sql`case when opened.id is null then proof.kind || ':' || proof.value else 'session:' || opened.id end`,
    caller,
    now,
    data: sql`jsonb_build_object('state', proof.state, 'verification_id', proof.id, 'channel', proof.channel,
      'purpose', proof.purpose, 'way', ${attested.way}::text)`,
    from: sql`proof left join account on true left join opened on true`,
  });
  const creation = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`'user.created'`,
    actor: sql`'user:' || account.id`,
    subject: sql`'user:' || account.id`,
    caller,
    now,
    data: sql`jsonb_build_object('verification_id', proof.id, 'kind', proof.kind)`,
    from: sql`account, proof where account.created`,
  });
  const [row] = await sql<AttestedRow[]>`
    with spent as (${attested.spend(sql, now)}),
      ${attestation.fragment},
      ${claimRegistration(sql, tenantId, now)},
      told as materialized (
        select ${names.firstName}::text as first_name, ${names.lastName}::text as last_name,
          ${names.username}::text as username),
      ${admit(sql, {
        tenantId,
        newUserId: context.newId(),
        newIdentityId: context.newId(),
        registrationOpen: tenant.policy.registration === 'open',
        firstName: null,
        lastName: null,
        username: null,
        toldByTelegram: true,
        takeWaitingUsername: run.withUsername,
        byHandle: true,
        locale,
        agent: agentOf(caller),
        opensSession: run.joining?.sessionId === undefined,
        now,
      })},
      ${opened.fragment},
      recorded as (${outcome}),
      recorded_creation as (${creation}),
      told_owner as (${tellNewDevice(context, sql, {
        tenantId,
        deviceName: opened.deviceName,
        caller,
        used: { kind: sql`proof.kind`, value: sql`proof.value` },
        now,
        from: sql`account, opened, proof`,
      })})
    select exists (select from told_owner) as owner_told, ${signedInColumns(sql, tenantId, now)}
    from proof left join account on true left join opened on true`;
  return row;
}
