import { type Issue, type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { overloaded } from '../passwords/passwords.ts';
import {
  type RegistrationData,
  type RegistrationFields,
  readRegistration,
} from '../registrations/registrations.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHolder } from '../users/users.ts';
import {
  type Address,
  type AddressFields,
  chooseChannel,
  locateAddress,
  refuseNewAddress,
} from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { findOwn, keep } from './keep-registration.ts';
import { EVEN_HASHING_MILLISECONDS, inEvenTime } from './even-time.ts';
import { mayTellOpenly } from './openness.ts';
import { chooseLocale, type VerificationSent } from './send-verification.ts';
import { giveTollBack, takeSend, type WantedSend } from './take-send.ts';

export interface RegisterInput extends AddressFields, RegistrationFields {
  password?: string;
  /** The handle of an earlier registration that this one changes. */
  verification_id?: string;
  channel?: string;
  locale?: string;
  tenant?: string;
}

/** A code is on its way to the address that was registered. */
export interface Registered extends VerificationSent {
  address: Address;
}

/**
 * Keeps what somebody typed at sign-up and sends the code that will prove its address. No account is made and no
 * address is reserved: whoever proves it first gets it, and what others typed goes.
 *
 * The same holder (the same handle, or the same password) changes what waits. Anybody else gets a row, a handle and a
 * code of their own; inside the cool-down that code follows when it ends.
 */
export async function register(
  context: SignInContext,
  input: RegisterInput,
  clues: RequestClues,
): Promise<Registered | Refused> {
  // 1. Whose tenant, which address, by which way.
  const located = locateAddress(context.tenants, input, clues);
  if (!located.ok) return located;
  const { tenant, address } = located;
  if (address.kind === 'telegram') return refuseField('/telegram_user_id', 'cannot be registered');
  const closed = refuseNewAddress(tenant, address);
  if (closed) return closed;
  if (tenant.policy.registration === 'closed') return refuse('REGISTRATION_CLOSED');
  const chosen = chooseChannel(tenant, address, input.channel, context.delivery);
  if (!chosen.ok) return chosen;

  // 2. What was typed: everything that is wrong is told at once, before anything is spent.
  const read = readRegistration(tenant, input);
  const issues = read.ok ? [] : read.issues;
  const typed = read.ok ? [read.data.first_name, read.data.last_name, read.data.username] : [];
  const tired = input.password === undefined ? undefined : await takeJudgement(context, clues);
  if (tired) return tired;
  const weak = await newPasswordIssues(context, tenant, address, input, typed);
  if (weak.required) issues.push(weak.required);
  if (!read.ok || issues.length > 0) return refuse('INVALID_REQUEST', { issues });
  if (weak.issues.length > 0) return refuse('WEAK_PASSWORD', { issues: weak.issues });

  // 3. The caller's budget, then the password's hash: nothing of it is stored before.
  if (input.password !== undefined && !context.passwords.hasRoom)
    return refuse('OVERLOADED', { retry_after: 1 });
  const wanted = { tenant, address, channel: chosen.channel };
  const limited = await takeSend(context, wanted, clues);
  if (limited) return limited;
  const registering = keepRead(
    context,
    { tenant, address, channel: chosen.channel, data: read.data },
    input,
    clues,
  );
  return tenant.policy.errorDetail === 'explicit'
    ? registering
    : inEvenTime(registering, EVEN_HASHING_MILLISECONDS);
}

/** What was typed is sound: whose the address is, and what waits for it, shows in nothing from here on. */
async function keepRead(
  context: SignInContext,
  wanted: WantedSend & { address: Address; data: RegistrationData },
  input: RegisterInput,
  clues: RequestClues,
): Promise<Registered | Refused> {
  const { tenant, address, channel, data } = wanted;
  const database = context.databaseOf(tenant.id);
  const holder = await findPasswordHolder(database, tenant.id, address);
  const isTaken = holder !== undefined && holder.address_verified;
  if (isTaken && (await mayTellOpenly(context, tenant, clues))) {
    await giveTollBack(context, wanted);
    return refuse('ALREADY_REGISTERED', { next_action: 'SIGN_IN' });
  }
  if (await tellsUsernameTaken(context, tenant, data.username, holder?.id, clues)) {
    await giveTollBack(context, wanted);
    return refuseField('/username', 'This username is taken. Choose another one.');
  }
  const passwordHash = await hashWaiting(context, tenant, address, input.password);
  if (passwordHash === overloaded) {
    await giveTollBack(context, wanted);
    return refuse('OVERLOADED', { retry_after: 1 });
  }

  // 4. One statement keeps the registration and queues its code.
  const locale = chooseLocale(tenant, input.locale, clues);
  const registration = {
    tenant,
    address,
    data,
    passwordHash,
    channel,
    locale,
    name: isTaken ? holder.first_name : data.first_name,
    isTaken,
  };
  const own = await findOwn(context, registration, input.verification_id);
  const sent = await keep(context, registration, own, input.verification_id, clues);
  return sent.ok ? { ...sent, address } : sent;
}

/** Has another account this username, and may that be told? Where not, it is dropped by the proof. */
async function tellsUsernameTaken(
  context: SignInContext,
  tenant: Tenant,
  username: string | null,
  ownId: string | undefined,
  clues: RequestClues,
): Promise<boolean> {
  if (username === null || tenant.policy.errorDetail !== 'explicit') return false;
  const by = { kind: 'username', value: username };
  const holder = await findPasswordHolder(context.databaseOf(tenant.id), tenant.id, by);
  return holder !== undefined && holder.id !== ownId && mayTellOpenly(context, tenant, clues);
}

const HOUR = 3600;
/** A person who looks for a password tries a few for each registration. */
const JUDGEMENTS_PER_SEND = 4;

/** To judge a password takes fifty times what any other refusal does, and asks no budget before: nobody needs many. */
async function takeJudgement(context: SignInContext, clues: RequestClues): Promise<Refused | undefined> {
  const most = JUDGEMENTS_PER_SEND * context.sendsPerCallerPerHour;
  const taken = await context.buckets.take(`password-judged:${clues.caller.bucket}`, most, HOUR);
  return taken.allowed ? undefined : refuse('RATE_LIMITED', { retry_after: taken.retryAfter });
}

/**
 * What speaks against the password; `required`: the tenant asks for one and none came.
 * @param typed names and username, wherever they stood
 */
async function newPasswordIssues(
  context: SignInContext,
  tenant: Tenant,
  address: Address,
  input: RegisterInput,
  typed: readonly (string | null)[],
): Promise<{ required?: Issue; issues: Issue[] }> {
  const { policy } = tenant;
  if (input.password === undefined) {
    return policy.requiredFields.includes('password')
      ? { required: { path: '/password', message: 'is required' }, issues: [] }
      : { issues: [] };
  }
  if (!policy.passwords.enabled) {
    return { required: { path: '/password', message: 'Passwords are switched off here.' }, issues: [] };
  }
  const about = [address.value, ...typed, tenant.name, tenant.slug];
  return { issues: await context.passwords.issues(input.password, policy.passwords, about, '/password') };
}

async function hashWaiting(
  context: SignInContext,
  tenant: Tenant,
  address: Address,
  password: string | undefined,
): Promise<string | null | typeof overloaded> {
  if (password === undefined) return null;
  return context.passwords.hashWaiting(password, {
    tenantId: tenant.id,
    kind: address.kind,
    value: address.value,
  });
}
