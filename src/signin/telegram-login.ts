import { recordEvent } from '../audit/audit.ts';
import { type Database, type Fragment, type Sql, withConflictRetry } from '../db/database.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Access, SessionStyle } from '../sessions/sessions.ts';
import type { LoginProof } from '../telegram/telegram.ts';
import { type BegunLogin, LOGIN_LIFE_SECONDS } from '../telegram-proofs/telegram-proofs.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findHolder, findUser, publicUser } from '../users/users.ts';
import { type Address, locateAddress, refuseIdentifier } from './address.ts';
import { signInAttested } from './attested-sign-in.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { linkAddress } from './link-address.ts';
import { takeOfCaller } from './prove-work.ts';
import { heldAfterMove, requireProof } from './require-proof.ts';
import type { SignedIn } from './signed-in.ts';
import { type AddressLinked, NOT_SET_UP, TAKEN } from './telegram-link.ts';

/** A sign-in by Telegram's OpenID Connect login, as the browser that began it is given it. */
export interface TelegramLoginStarted {
  ok: true;
  tenant: Tenant;
  /** Secret of this browser: what comes back is worth something only together with it. */
  loginId: string;
  authorizationUrl: string;
  expiresIn: number;
}

/** Past a sign-in's life its use need no longer be remembered; leeway included. */
const REMEMBER_SECONDS = LOGIN_LIFE_SECONDS + 60;

const DAY_MILLISECONDS = 86_400_000;

const AWAY = 'Telegram does not answer at the moment. Try again, or sign in another way.';
const NO_PROOF = 'Telegram did not confirm this sign-in, or it was used before. Start again.';

/** May people of this tenant sign in by Telegram's login? */
export function offersTelegramLogin(context: SignInContext, tenant: Tenant): boolean {
  const isOpen = tenant.policy.channels.includes('telegram');
  return isOpen && context.telegramSignIn.loginClientOf(tenant.id) !== undefined;
}

/**
 * Begins a sign-in (or, for somebody signed in, the linking of a Telegram account) at Telegram itself. The number is
 * asked for where the tenant lets Telegram prove numbers. Nothing is stored. Takes from the caller's budget.
 * @param input.redirectUri where Telegram leads the browser back to: an address that the tenant has named
 * @param input.isOwnPage it is a page of ours, which no tenant names
 */
export async function startTelegramLogin(
  context: SignInContext,
  input: { tenant?: string; redirectUri: string; isOwnPage?: boolean; access?: Access },
  clues: RequestClues,
): Promise<TelegramLoginStarted | Refused> {
  const { access, redirectUri } = input;
  const tenant =
    access?.tenant ??
    context.tenants.resolve({ header: clues.tenantHeader, body: input.tenant, host: clues.host });
  if (!tenant) return refuse('TENANT_NOT_FOUND');
  const { login, proofs, loginClientOf, now } = context.telegramSignIn;
  const client = loginClientOf(tenant.id);
  if (!client || !offersTelegramLogin(context, tenant)) return refuse('CHANNEL_UNAVAILABLE', {}, NOT_SET_UP);
  if (!input.isOwnPage && !tenant.policy.telegramSignIn.returnAddresses.includes(redirectUri)) {
    return refuseField('/redirect_uri', 'This address is not among telegram_sign_in.return_addresses.');
  }
  const unproved = access && (await requireProof(context, access, 'address'));
  if (unproved) return unproved;
  const limited = await takeOfCaller(context, clues, 'telegram', access !== undefined);
  if (limited) return limited;
  const begun = proofs.newLogin({
    tenantId: tenant.id,
    redirectUri: new URL(redirectUri).href,
    phone: access === undefined && asksForPhone(tenant),
    userId: access?.userId ?? null,
    now: now(),
  });
  const authorizationUrl = await login.begin(client, begun.login);
  if (authorizationUrl === undefined) return refuse('CHANNEL_UNAVAILABLE', {}, AWAY);
  return { ok: true, tenant, loginId: begun.loginId, authorizationUrl, expiresIn: LOGIN_LIFE_SECONDS };
}

function asksForPhone({ policy }: Tenant): boolean {
  return policy.telegram.contactProvesPhone && policy.identifiers.includes('phone');
}

export interface CompleteTelegramLoginInput {
  loginId: string;
  state: string;
  code: string;
  iss?: string;
  device?: { name?: string; kind?: string };
  style?: SessionStyle;
  /** Who completes a linking: the one who began it. */
  access?: Access;
}

/**
 * Gives the session to the browser that began, for what Telegram led it back with. Telegram is asked first; then one
 * transaction takes the sign-in, once, finds or makes the account, and adds what else was proved.
 */
export async function completeTelegramLogin(
  context: SignInContext,
  input: CompleteTelegramLoginInput,
  clues: RequestClues,
): Promise<SignedIn | AddressLinked | Refused> {
  // 1. Begun here, in this browser, a short time ago.
  const { login, proofs, loginClientOf, now } = context.telegramSignIn;
  const begun = proofs.readLogin(input.loginId);
  const tenant = begun && context.tenants.byId(begun.tenantId);
  const isElsewhere = clues.tenantHeader !== undefined && clues.tenantHeader !== tenant?.slug;
  if (!begun || !tenant || isElsewhere || !isSame(input.state, begun.state)) {
    return refuse('TELEGRAM_DATA_INVALID', {}, NO_PROOF);
  }
  if (now().getTime() >= begun.expiresAt) return refuse('LINK_EXPIRED');
  if (begun.userId !== null && input.access?.userId !== begun.userId) return refuse('TOKEN_INVALID');
  const client = loginClientOf(tenant.id);
  if (!client || !offersTelegramLogin(context, tenant)) return refuse('CHANNEL_UNAVAILABLE', {}, NOT_SET_UP);
  const limited = await takeCompletion(context, clues);
  if (limited) return limited;

  // 2. What Telegram says. No connection of the database is held meanwhile.
  const proof = await login.finish(client, begun, input);
  if (!proof.ok) {
    context.log.warn(
      { event: 'telegram_login', tenant: tenant.slug, reason: proof.cause },
      'Telegram gave no proof for a sign-in',
    );
    if (proof.reason === 'unreachable') return refuse('CHANNEL_UNAVAILABLE', {}, AWAY);
    await recordRefusal(context, tenant, clues);
    return refuse('TELEGRAM_DATA_INVALID', {}, NO_PROOF);
  }

  // 3. The account.
  const outcome =
    begun.userId === null
      ? await signIn(context, tenant, begun, proof, input, clues)
      : await link(context, begun, proof, input.access as Access, clues);
  return outcome ?? refuse('TELEGRAM_DATA_INVALID', {}, NO_PROOF);
}

/** Each asks Telegram something: no more an hour than may be begun. */
async function takeCompletion(context: SignInContext, clues: RequestClues): Promise<Refused | undefined> {
  const limit = context.sendsPerCallerPerHour;
  const taken = await context.buckets.take(`telegram-login:${clues.caller.bucket}`, limit, 3600);
  return taken.allowed ? undefined : refuse('RATE_LIMITED', { retry_after: taken.retryAfter });
}

type Proved = Extract<LoginProof, { ok: true }>;

/**
 * Of two proved addresses the Telegram account names the account, where it has one; else the number does, unless its
 * account lay idle: then it may be somebody else's number by now (S35). The other address is added, unless it is
 * somebody else's: accounts are never merged.
 */
async function signIn(
  context: SignInContext,
  tenant: Tenant,
  begun: BegunLogin,
  proof: Proved,
  { device, style }: CompleteTelegramLoginInput,
  clues: RequestClues,
): Promise<SignedIn | Refused | undefined> {
  const { person } = proof;
  const database = context.databaseOf(tenant.id);
  const telegram = { kind: 'telegram', value: person.id } as const;
  const located = phoneOf(context, tenant, begun, proof, clues);
  const phone = located && ({ kind: 'phone', value: located.value } as const);
  const [byTelegram, byPhone] = await Promise.all([
    findHolder(database, tenant.id, telegram),
    phone && findHolder(database, tenant.id, phone),
  ]);
  const isByPhone =
    byTelegram === undefined &&
    byPhone !== undefined &&
    !(await liesIdle(context, database, tenant, byPhone.user_id));
  const isFree = byPhone === undefined || (byPhone.user_id === byTelegram?.user_id && !byPhone.is_verified);
  const first = phone && isByPhone ? phone : telegram;
  const holder = isByPhone ? byPhone : byTelegram;
  // For a day after its chat has moved nothing is added to an account (C7).
  const held = holder && (await heldAfterMove(context, { tenant, userId: holder.user_id }, undefined));
  const other = first.kind === 'phone' ? telegram : isFree ? phone : undefined;
  const also = held ? undefined : other;
  return signInAttested(
    context,
    {
      ...first,
      tenant,
      also,
      spend: spendOnce(context, begun, first.value),
      way: 'openid',
      // Telegram's login knows one name, not two: whoever is known already keeps theirs.
      names: byTelegram || byPhone ? { firstName: null, lastName: null, username: person.username } : person,
      device,
      style,
    },
    clues,
  );
}

/** Was the account not signed in to for so long that its number alone does not open it? */
async function liesIdle(
  context: SignInContext,
  database: Database,
  tenant: Tenant,
  userId: string,
): Promise<boolean> {
  const { mode, idleDays } = tenant.policy.recycledNumbers;
  const user = mode === 'off' ? undefined : await findUser(database, tenant.id, userId);
  if (!user?.last_login) return false;
  return context.telegramSignIn.now().getTime() - user.last_login.getTime() > idleDays * DAY_MILLISECONDS;
}

/** The number, in its canonical form, where it was asked for and the tenant takes it. */
function phoneOf(
  context: SignInContext,
  tenant: Tenant,
  begun: BegunLogin,
  { phone }: Proved,
  clues: RequestClues,
): Address | undefined {
  if (!begun.phone || phone === undefined) return undefined;
  const located = locateAddress(
    context.tenants,
    { phone: `+${phone}` },
    { ...clues, tenantHeader: tenant.slug },
  );
  return located.ok && !refuseIdentifier(tenant, 'phone') ? located.address : undefined;
}

async function link(
  context: SignInContext,
  begun: BegunLogin,
  { person }: Proved,
  access: Access,
  clues: RequestClues,
): Promise<AddressLinked | Refused | undefined> {
  const database = context.databaseOf(access.tenant.id);
  const spend = spendOnce(context, begun, person.id);
  const address = { access, kind: 'telegram', spend, way: 'openid', tellsOwner: true } as const;
  const outcome = await withConflictRetry(() => linkAddress(context, database.sql, address, clues));
  if (outcome === 'spent') return undefined;
  if (outcome === 'taken') return refuse('ALREADY_REGISTERED', {}, TAKEN);
  context.notices.deliverSoon(database);
  const user = await findUser(database, access.tenant.id, access.userId);
  return user ? { ok: true, linked: publicUser(user) } : refuse('SESSION_ENDED');
}

/** A code works once at Telegram; here the sign-in that it belongs to does, whatever Telegram would let pass. */
function spendOnce(
  context: SignInContext,
  begun: BegunLogin,
  value: string,
): (sql: Sql, now: Fragment) => Fragment {
  return (sql, now) =>
    context.telegramSignIn.proofs.spendData(sql, {
      tenantId: begun.tenantId,
      name: `openid:${begun.state}`,
      value,
      lifeSeconds: REMEMBER_SECONDS,
      now,
    });
}

async function recordRefusal(context: SignInContext, tenant: Tenant, clues: RequestClues): Promise<void> {
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  await sql`with audited as (${recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`'telegram.refused'`,
    actor: sql`'anonymous'`,
    subject: sql`${`tenant:${tenant.slug}`}`,
    caller: clues.caller,
    now: database.now(),
    data: sql`jsonb_build_object('way', 'openid')`,
    from: sql`(select 1) refused`,
  })}) select 1`;
}

function isSame(left: string, right: string): boolean {
  return constantTimeEqual(Buffer.from(left), Buffer.from(right));
}
