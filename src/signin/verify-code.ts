import { recordEvent } from '../audit/audit.ts';
import { type Database, isUniqueViolation, withConflictRetry } from '../db/database.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import type { SessionStyle, Tokens } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import {
  admit,
  type IdentityRow,
  identitiesOf,
  type PublicUser,
  publicUser,
  USERNAME_INDEX,
} from '../users/users.ts';
import { type Candidate, type ProofState, readCode } from '../verification/verification.ts';
import { type AddressFields, locateAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { tenantsOfHandle } from './resend-otp.ts';

export interface VerifyCodeInput extends AddressFields {
  code: string;
  verification_id?: string;
  tenant?: string;
  first_name?: string;
  last_name?: string;
  username?: string;
  device?: { name?: string; kind?: string };
  style?: SessionStyle;
}

/** Somebody who has just proved an address, signed in. */
export interface SignedIn {
  ok: true;
  tenant: Tenant;
  tokens: Tokens;
  user: PublicUser;
  session: { id: string; device_id: string; created_at: string; expires_at: string };
  isNewUser: boolean;
}

/**
 * Checks a code. One statement counts the attempt, compares, consumes, finds or makes the account, opens the session
 * and records what happened: all of it is committed, or none (principles 1 and 2).
 */
export async function verifyCode(
  context: SignInContext,
  input: VerifyCodeInput,
  clues: RequestClues,
): Promise<SignedIn | Refused> {
  const code = readCode(input.code);
  if (code === undefined) return refuseField('/verification_code', 'A code consists of digits only.');
  const located = await locateCandidates(context, input, code, clues);
  if (!located.ok) return located;
  for (const { tenant, candidates } of located.places) {
    const outcome = await prove(context, tenant, candidates, input, clues);
    if (outcome) return outcome;
  }
  return refuse('VERIFICATION_NOT_FOUND');
}

type Located = { ok: true; places: { tenant: Tenant; candidates: Candidate[] }[] } | Refused;

/** By handle the candidates follow from the request alone; by address they are read first, at most three of them. */
async function locateCandidates(
  context: SignInContext,
  input: VerifyCodeInput,
  code: string,
  clues: RequestClues,
): Promise<Located> {
  const { verifications } = context;
  if (input.verification_id !== undefined) {
    const handle = input.verification_id;
    const tenants = tenantsOfHandle(context, input.tenant, clues);
    if (tenants.length === 0) return refuse('TENANT_NOT_FOUND');
    const places = tenants.map((tenant) => ({
      tenant,
      candidates: verifications.candidatesByHandle(tenant.id, handle, code),
    }));
    return { ok: true, places: places.filter((place) => place.candidates.length > 0) };
  }
  const located = locateAddress(context.tenants, input, clues);
  if (!located.ok) return located;
  const { tenant, address } = located;
  const rows = await verifications.findByAddress(context.databaseOf(tenant.id), {
    tenantId: tenant.id,
    kind: address.kind,
    value: address.value,
    purposes: ['sign_in'],
  });
  const live = rows.filter((row) => row.state === 'live');
  const compared = live.length > 0 ? live : rows.slice(0, 1);
  const candidates = verifications.candidatesByRows(tenant.id, compared, code);
  return { ok: true, places: candidates.length > 0 ? [{ tenant, candidates }] : [] };
}

interface ProofRow {
  state: ProofState;
  attempts: number;
  max_attempts: number;
  channel: string;
  sent_at: Date[];
  failed_at: Date[];
  failures_in_a_row: number;
  compared_wrong: number;
  now: Date;
  user_id: string | null;
  role: string;
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  custom_fields: Record<string, unknown>;
  is_active: boolean;
  is_verified: boolean;
  is_disabled: boolean;
  epoch: number;
  last_login: Date | null;
  created_at: Date;
  updated_at: Date;
  created: boolean;
  identities: IdentityRow[] | null;
  session_id: string | null;
  device_id: string;
  session_created_at: Date;
  session_expires_at: Date;
}

async function prove(
  context: SignInContext,
  tenant: Tenant,
  candidates: Candidate[],
  input: VerifyCodeInput,
  clues: RequestClues,
): Promise<SignedIn | Refused | undefined> {
  const database = context.databaseOf(tenant.id);
  const style = input.style ?? tenant.policy.sessionStyle;
  const run = (username: string | undefined): Promise<ProofRow | undefined> =>
    withConflictRetry(() =>
      runProof(context, database, { tenant, candidates, style, input, username, clues }),
    );
  let row: ProofRow | undefined;
  try {
    row = await run(input.username);
  } catch (fault) {
    // The name is somebody else's. Nothing of the statement was kept; the sign-in goes on without the name.
    if (!isUniqueViolation(fault, USERNAME_INDEX)) throw fault;
    row = await run(undefined);
  }
  if (!row) return undefined;
  if (row.state !== 'proved') return refusedProof(context, row);
  if (row.user_id === null) return refuse('ACCOUNT_NOT_FOUND');
  if (row.session_id === null) return refuse('ACCOUNT_DISABLED');
  const tokens = await context.sessions.tokensFor(tenant, {
    sessionId: row.session_id,
    deviceId: row.device_id,
    userId: row.user_id,
    counter: 0,
    role: row.role,
    epoch: row.epoch,
    amr: ['otp'],
    style,
    expiresAt: row.session_expires_at,
    now: row.now,
  });
  return {
    ok: true,
    tenant,
    tokens,
    user: publicUser({ ...row, id: row.user_id, identities: row.identities ?? [] }),
    session: {
      id: row.session_id,
      device_id: row.device_id,
      created_at: row.session_created_at.toISOString(),
      expires_at: row.session_expires_at.toISOString(),
    },
    isNewUser: row.created,
  };
}

/** What a check that did not succeed is answered with, and what the person may still try. */
function refusedProof(context: SignInContext, row: ProofRow): Refused {
  const failedAt = [...row.failed_at, ...Array.from({ length: row.compared_wrong }, () => row.now)];
  const failuresInARow = row.failures_in_a_row + row.compared_wrong;
  const state = { sentAt: row.sent_at, failedAt, failuresInARow, now: row.now };
  switch (row.state) {
    case 'expired':
      return refuse('CODE_EXPIRED', { next_action: 'REQUEST_CODE' });
    case 'dead':
      return refuse('TOO_MANY_ATTEMPTS', { attempts_left: 0, next_action: 'REQUEST_CODE' });
    case 'budget':
      return context.budgets.explainFailures(state) ?? refuse('TOO_MANY_ATTEMPTS', { attempts_left: 0 });
    case 'wrong': {
      const left = Math.min(row.max_attempts - row.attempts - 1, context.budgets.wrongCodesLeft(state));
      return refuse('INVALID_CODE', { attempts_left: left, channel: row.channel });
    }
    case 'used':
    case 'proved':
      return refuse('VERIFICATION_NOT_FOUND');
  }
}

interface Run {
  tenant: Tenant;
  candidates: Candidate[];
  style: SessionStyle;
  input: VerifyCodeInput;
  username: string | undefined;
  clues: RequestClues;
}

/** The statement: proof → account → session, each contributed by the folder that owns the tables. */
async function runProof(context: SignInContext, database: Database, run: Run): Promise<ProofRow | undefined> {
  const { tenant, input, clues } = run;
  const { sql } = database;
  const now = database.now();
  const { caller } = clues;
  const opened = context.sessions.open(sql, {
    tenant,
    style: run.style,
    amr: ['otp'],
    device: input.device,
    caller,
    now,
  });
  const outcome = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when opened.id is not null then 'user.signed_in'
      when proof.state = 'wrong' then 'code.wrong' else 'code.refused' end`,
    actor: sql`case when account.id is null then 'anonymous' else 'user:' || account.id end`,
    subject: sql`case when opened.id is null then proof.kind || ':' || proof.value else 'session:' || opened.id end`,
    caller,
    now,
    data: sql`jsonb_build_object('state', proof.state, 'verification_id', proof.id, 'channel', proof.channel)`,
    from: sql`proof left join account on true left join opened on true`,
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
  const [row] = await sql<ProofRow[]>`
    with ${context.verifications.prove(sql, tenant.id, run.candidates, now)},
      ${admit(sql, {
        tenantId: tenant.id,
        newUserId: context.newId(),
        newIdentityId: context.newId(),
        registrationOpen: tenant.policy.registration === 'open',
        firstName: input.first_name ?? null,
        lastName: input.last_name ?? null,
        username: run.username ?? null,
        now,
      })},
      ${opened.fragment},
      recorded as (${outcome}),
      recorded_creation as (${creation})
    select proof.state, proof.attempts, proof.max_attempts, proof.channel, budget.sent_at, budget.failed_at,
      budget.failures_in_a_row, ${now} as now,
      (select count(*)::int from judged where judged.state = 'wrong' and proof.state = 'wrong') as compared_wrong,
      account.id as user_id, account.role, account.first_name, account.last_name, account.username,
      account.custom_fields, account.is_active, account.is_verified, account.is_disabled, account.epoch,
      account.last_login, account.created_at, account.updated_at, account.created,
      ${identitiesOf(sql, tenant.id)} as identities,
      opened.id as session_id, opened.device_id, opened.created_at as session_created_at,
      opened.expires_at as session_expires_at
    from proof join budget on budget.kind = proof.kind and budget.value = proof.value
      left join account on true left join opened on true`;
  return row;
}
