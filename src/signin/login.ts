import { recordEvent } from '../audit/audit.ts';
import type { Database, Sql } from '../db/database.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { overloaded } from '../passwords/passwords.ts';
import { findWaitingRegistrations, type WaitingRegistration } from '../registrations/registrations.ts';
import type { Joining, SessionStyle } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { enter, findPasswordHolder, lockUser, type PasswordHolder } from '../users/users.ts';
import { locateAddress, refuseIdentifier } from './address.ts';
import { type Identifier, isVerified } from './attempt.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { comparing, countPassword, showsOwnDevice } from './count-password.ts';
import { withJoining } from './joining.ts';
import { EVEN_HASHING_MILLISECONDS, inEvenTime } from './even-time.ts';
import { refuseLogin } from './refuse-login.ts';
import { agentOf, tellNewDevice } from './tell-new-device.ts';
import { type SignedIn, signedIn, signedInColumns, type SignedInRow } from './signed-in.ts';

export interface LoginInput {
  phone?: string;
  email?: string;
  username?: string;
  password: string;
  tenant?: string;
  locale?: string;
  device?: { name?: string; kind?: string };
  style?: SessionStyle;
}

/** Live registrations of one address whose passwords are compared, as with codes. */
const MOST_WAITING_COMPARED = 5;

/**
 * Signs in with a password. Every attempt is counted before it is compared and costs exactly one hash, whoever is
 * behind the identifier: so neither many at once nor the time an answer takes tells anything (S22).
 */
export async function login(
  context: SignInContext,
  input: LoginInput,
  clues: RequestClues,
): Promise<SignedIn | Refused> {
  // 1. Whose tenant, which identity, and could this be a password at all.
  const located = locateIdentifier(context, input, clues);
  if (!located.ok) return located;
  const { tenant } = located;
  if (!tenant.policy.passwords.enabled) return refuseField('/password', 'Passwords are switched off here.');
  if (!context.passwords.isPossible(input.password)) {
    return refuseField('/password', 'may have 1 to 256 characters');
  }
  if (!context.passwords.hasRoom) return refuse('OVERLOADED', { retry_after: 1 });
  const attempt = tryPassword(context, located, input, clues);
  return tenant.policy.errorDetail === 'explicit' ? attempt : inEvenTime(attempt, EVEN_HASHING_MILLISECONDS);
}

async function tryPassword(
  context: SignInContext,
  { tenant, identifier }: Located,
  input: LoginInput,
  clues: RequestClues,
): Promise<SignedIn | Refused> {
  // 2. Counted first.
  const isKnown = await showsOwnDevice(context, tenant, identifier, clues);
  const { bucket: caller } = clues.caller;
  const counted = await countPassword(context, { tenant, identity: identifier, isKnown, caller });
  if (!counted.ok) return counted;
  const { giveBack, attemptsLeft } = counted;

  // 3. Compared: one hash, for nobody as well.
  const database = context.databaseOf(tenant.id);
  const place = { tenantId: tenant.id, kind: identifier.kind, value: identifier.value };
  const [holder, registrations] = await comparing(counted, () =>
    Promise.all([
      findPasswordHolder(database, tenant.id, identifier),
      findWaitingRegistrations(database, place, MOST_WAITING_COMPARED),
    ]),
  );
  const waiting = holder ? [] : registrations;
  const compared = await comparing(counted, () => compare(context, input.password, holder, waiting, place));
  if (compared === overloaded) {
    await giveBack();
    return refuse('OVERLOADED', { retry_after: 1 });
  }
  const { fits, matching } = compared;
  if (fits || matching) await giveBack();

  // 4. In, or the case that keeps them out.
  if (fits && holder && isVerified(identifier, holder) && !holder.is_disabled) {
    const entered = await openSession(context, tenant, holder, input, clues);
    if (entered) return entered;
  }
  const attempt = { tenant, identifier, holder, waiting, fits, matching, attemptsLeft };
  return refuseLogin(context, attempt, input.locale, clues);
}

interface Located {
  ok: true;
  tenant: Tenant;
  identifier: Identifier;
}

type LocatedIdentifier = Located | Refused;

function locateIdentifier(context: SignInContext, input: LoginInput, clues: RequestClues): LocatedIdentifier {
  const { phone, email, username } = input;
  const given = [phone, email, username].filter((value) => value !== undefined);
  if (given.length !== 1) return refuseField('/', 'Give exactly one of phone, email or username.');
  let located: LocatedIdentifier;
  if (username === undefined) {
    const found = locateAddress(
      context.tenants,
      {
        ...(phone === undefined ? {} : { phone }),
        ...(email === undefined ? {} : { email }),
        ...(input.tenant === undefined ? {} : { tenant: input.tenant }),
      },
      clues,
    );
    if (!found.ok) return found;
    const { kind, value, asEntered } = found.address;
    if (kind === 'telegram') return refuseField('/', 'Give exactly one of phone, email or username.');
    located = { ok: true, tenant: found.tenant, identifier: { kind, value, asEntered } };
  } else {
    const tenant = context.tenants.resolve({
      header: clues.tenantHeader,
      body: input.tenant,
      host: clues.host,
    });
    if (!tenant) return refuse('TENANT_NOT_FOUND');
    const identifier = { kind: 'username' as const, value: username.toLowerCase(), asEntered: username };
    located = { ok: true, tenant, identifier };
  }
  return refuseIdentifier(located.tenant, located.identifier.kind) ?? located;
}

async function compare(
  context: SignInContext,
  password: string,
  holder: PasswordHolder | undefined,
  waiting: readonly WaitingRegistration[],
  place: { tenantId: string; kind: string; value: string },
): Promise<{ fits: boolean; matching: WaitingRegistration | undefined } | typeof overloaded> {
  if (waiting.length === 0) {
    const fits = await context.passwords.fits(password, holder?.password_hash ?? null);
    return fits === overloaded ? overloaded : { fits, matching: undefined };
  }
  // All that wait for one address share its salt: one hash compares with each.
  const hash = await context.passwords.hashWaiting(password, place);
  if (hash === overloaded) return overloaded;
  return { fits: false, matching: waiting.find((registration) => registration.password_hash === hash) };
}

/** One statement signs in, if the hash that was checked still stands. Undefined: it does not any more. */
async function openSession(
  context: SignInContext,
  tenant: Tenant,
  holder: PasswordHolder,
  input: LoginInput,
  clues: RequestClues,
): Promise<SignedIn | undefined> {
  const checkedHash = holder.password_hash ?? '';
  // Old parameters or another server's hash: made anew while the password is at hand. No room: the next time.
  const renewed = context.passwords.isOutdated(checkedHash)
    ? await context.passwords.hash(input.password)
    : undefined;
  const newHash = typeof renewed === 'string' ? renewed : null;
  const database = context.databaseOf(tenant.id);
  const style = input.style ?? tenant.policy.sessionStyle;
  const amr = ['pwd'];
  const lock = (sql: Sql) => lockUser(sql, tenant.id, holder.id);
  const row = await withJoining(context, database, { tenant, style, lock }, (sql, joining) =>
    enterBy(context, database, sql, {
      tenant,
      holder,
      checkedHash,
      newHash,
      style,
      amr,
      joining,
      input,
      clues,
    }),
  );
  if (!row || row.user_id === null || row.session_id === null) return undefined;
  if (row.owner_told) context.notices.deliverSoon(database);
  return signedIn(
    context,
    tenant,
    { ...row, user_id: row.user_id, session_id: row.session_id },
    { style, amr },
  );
}

interface EnteredRow extends SignedInRow {
  owner_told: boolean;
}

interface Entry {
  tenant: Tenant;
  holder: PasswordHolder;
  checkedHash: string;
  newHash: string | null;
  style: SessionStyle;
  amr: readonly string[];
  joining: Joining | undefined;
  input: LoginInput;
  clues: RequestClues;
}

async function enterBy(
  context: SignInContext,
  database: Database,
  sql: Sql,
  entry: Entry,
): Promise<EnteredRow | undefined> {
  const { tenant, checkedHash, newHash, style, amr, joining } = entry;
  const { caller } = entry.clues;
  const now = database.now();
  const { device } = entry.input;
  const opened = context.sessions.open(sql, {
    tenant,
    style,
    amr,
    device,
    caller,
    joining,
    provedBy: sql`'password'`,
    now,
  });
  const opensSession = joining?.sessionId === undefined;
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`'user.signed_in'`,
    actor: sql`'user:' || account.id`,
    subject: sql`'session:' || opened.id`,
    caller,
    now,
    data: sql`jsonb_build_object('method', 'password', 'rehashed', ${newHash !== null}::boolean)`,
    from: sql`account, opened`,
  });
  const [row] = await sql<EnteredRow[]>`
    with ${enter(sql, { tenantId: tenant.id, userId: entry.holder.id, checkedHash, newHash, opensSession, agent: agentOf(caller), now })},
      ${opened.fragment},
      recorded as (${audited}),
      told_owner as (${tellNewDevice(context, sql, {
        tenantId: tenant.id,
        deviceName: opened.deviceName,
        caller,
        now,
        from: sql`account, opened`,
      })})
    select exists (select from told_owner) as owner_told, ${signedInColumns(sql, tenant.id, now)} from account join opened on true`;
  return row;
}
