import { isUniqueViolation } from '../db/database.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import {
  findUser,
  hasAddress,
  lockHolder,
  type PublicUser,
  publicUser,
  USERNAME_INDEX,
} from '../users/users.ts';
import {
  addressQuery,
  type Candidate,
  type GivenProof,
  readCode,
  RESET_LIFE_SECONDS,
} from '../verification/verification.ts';
import { type AddressFields, locateAddress } from './address.ts';
import { checkElsewhere } from './check-elsewhere.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { countRefusal } from './refused-codes.ts';
import { refusedProof } from './refused-proof.ts';
import { ownersShare } from './owner.ts';
import { signInPlainly } from './plain-sign-in.ts';
import { withJoining } from './joining.ts';
import { recordClosing } from './record-closing.ts';
import { tenantsOfHandle } from './resend-otp.ts';
import { askSecondProof } from './ask-second-proof.ts';
import { tellLockout } from './tell-lockout.ts';
import { type SignedIn, signedIn } from './signed-in.ts';
import { type ProofSource, runProof, type SignInInput, type VerifiedRow } from './sign-in-statement.ts';

export interface VerifyCodeInput extends AddressFields, SignInInput {
  code: string;
  verification_id?: string;
  tenant?: string;
}

/** Somebody who has proved the address of a forgotten password: may set a new one, and nothing else. */
export interface ResetGranted {
  ok: true;
  tenant: Tenant;
  user: PublicUser;
  resetToken: string;
  /** Seconds the token lives. */
  resetExpiresIn: number;
}

/**
 * Checks a code. One statement counts the attempt, compares, consumes, finds or makes the account, opens the session
 * and records what happened: all of it is committed, or none (principles 1 and 2).
 */
export async function verifyCode(
  context: SignInContext,
  input: VerifyCodeInput,
  clues: RequestClues,
): Promise<SignedIn | ResetGranted | Refused> {
  const code = readCode(input.code);
  if (code === undefined) return refuseField('/verification_code', 'A code consists of digits only.');
  if (isOfSession(context, input.verification_id)) return refuse('TOKEN_INVALID', {}, OF_SESSION);
  const located = await locateCandidates(context, input, code, clues);
  if (!located.ok) return located;
  for (const { tenant, candidates } of located.places) {
    const outcome = await signInBy(
      context,
      tenant,
      codeAmong(context, tenant, candidates, clues, code, input.verification_id !== undefined),
      input,
      clues,
    );
    if (outcome) return outcome;
  }
  return refuse('VERIFICATION_NOT_FOUND');
}

/** Rolls the statement back that was to join a session of the account that its number leaves. */
const NUMBER_TAKEN = new Error('the number leaves the account whose session was to be joined');

const OF_SESSION = 'Finish this verification with the token of the session that began it.';

/** Was this handle given to a session, to link an address or to prove itself? Then only that session may finish it. */
export function isOfSession(context: SignInContext, verificationId: string | undefined): boolean {
  const purpose = verificationId === undefined ? undefined : context.verifications.purposeOf(verificationId);
  return purpose === 'link' || purpose === 'step_up';
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
    purposes: ['sign_in', 'register', 'recover'],
  });
  const live = rows.filter((row) => row.state === 'live');
  // What is over is told from what never was only where the tenant tells who has an account (S22).
  const over = tenant.policy.errorDetail === 'uniform' ? [] : rows.slice(0, 1);
  const compared = live.length > 0 ? live : over;
  const candidates = verifications.candidatesByRows(tenant.id, compared, code);
  return { ok: true, places: candidates.length > 0 ? [{ tenant, candidates }] : [] };
}

/** The proof by one of these codes. */
export function codeAmong(
  context: SignInContext,
  tenant: Tenant,
  candidates: Candidate[],
  clues: RequestClues,
  code: string,
  byHandle = false,
): ProofSource {
  const ids = candidates.map((candidate) => candidate.id);
  const source = (approved: boolean): ProofSource => ({
    fragment: (sql, now) => sql`${context.verifications.prove(sql, {
      tenantId: tenant.id,
      candidates,
      caller: clues.caller.bucket,
      approved,
      testEntries: tenant.policy.testAddresses,
      now,
      share: ownersShare(sql, tenant, clues, now),
    })},
      ${recordClosing(context, sql, tenant, clues, now)}`,
    lock: (sql) => lockHolder(sql, tenant.id, addressQuery(sql, tenant.id, ids)),
    amr: ['otp'],
    byHandle,
  });
  const first = { ...source(false), plain: plainProof(candidates) };
  return context.codeChecks.asksProviders
    ? { ...first, plain: undefined, elsewhere: { ids, code, approved: source(true) } }
    : first;
}

/** A single handle with its code. While secrets are rotated there are more, one for each. */
function plainProof(candidates: readonly Candidate[]): GivenProof | undefined {
  const [only] = candidates;
  if (!only?.handleHash || candidates.length > 1) return undefined;
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return { id: only.id, handle_hash: hex(only.handleHash), code_hash: hex(only.codeHash) };
}

/** The sign-in itself, whatever proves the address: one statement. Undefined: there was nothing to prove. */
export async function signInBy(
  context: SignInContext,
  tenant: Tenant,
  proof: ProofSource,
  input: SignInInput,
  clues: RequestClues,
): Promise<SignedIn | ResetGranted | Refused | undefined> {
  const database = context.databaseOf(tenant.id);
  const style = input.style ?? tenant.policy.sessionStyle;
  const { lock, amr } = proof;
  const mayBeTelegram = proof.link === undefined && !('phone' in input) && !('email' in input);
  const chatId = input.device?.telegramChatId;
  const { elsewhere } = proof;
  const made = elsewhere && (await context.codeChecks.madeElsewhere(database, tenant.id, elsewhere.ids));
  let asked = [...(made?.keys() ?? [])];
  let source = proof;
  let holder = lock;
  const run = (withUsernames: boolean): Promise<VerifiedRow | undefined> =>
    withJoining(context, database, { tenant, style, lock: holder, chatId }, async (sql, joining) => {
      await proof.link?.prepare(sql, joining);
      const done = await runProof(context, database, sql, {
        tenant,
        proof: { ...source, ...(proof.link ? { link: proof.link } : {}) },
        asked,
        style,
        joining,
        input,
        withUsernames,
        clues,
        mayBeTelegram,
      });
      // What there was to join is the former holder's: again, as somebody new.
      if (done && done.former_id !== null && joining?.userId !== undefined) throw NUMBER_TAKEN;
      return done;
    });
  const runOrRename = async (): Promise<VerifiedRow | undefined> => {
    try {
      return await run(true);
    } catch (fault) {
      if (fault === NUMBER_TAKEN) {
        holder = async () => undefined;
        return run(true);
      }
      // The name is somebody else's. Nothing of the statement was kept; the sign-in goes on without the name.
      if (!isUniqueViolation(fault, USERNAME_INDEX)) throw fault;
      return run(false);
    }
  };
  const together = proof.plain && { tenant, proof: proof.plain, style, input, clues };
  let row = (together && (await signInPlainly(context, together))) ?? (await runOrRename());
  const providerMessageId = row?.state === 'wrong' ? made?.get(row.verification_id) : undefined;
  if (row && elsewhere && providerMessageId !== undefined) {
    const attempt = { ...row, tenantId: tenant.id, providerMessageId, code: elsewhere.code };
    const refused = await checkElsewhere(context, database, attempt, refusedProof(context, row), clues);
    if (refused) {
      tellLockout(context, tenant, row, clues);
      return refused;
    }
    source = elsewhere.approved;
    asked = [];
    row = await runOrRename();
  }
  if (!row) return undefined;
  if (row.state !== 'proved') return refuseAttempt(context, tenant, row, clues);
  context.delivery.spent(database, tenant.id, row.verification_id);
  context.codeChecks.proved(database, tenant.id, row.verification_id);
  if (row.former_id !== null) {
    await context.sessions.told(tenant.id, row.former_session_ids);
    context.notices.deliverSoon(database);
  }
  if (row.idle_verdict === 'ask' || row.idle_verdict === 'refuse')
    return askSecondProof(context, tenant, row);
  if (row.purpose === 'recover') return grantReset(context, tenant, row);
  const { user_id: userId, session_id: sessionId } = row;
  if (userId === null) return refuse('ACCOUNT_NOT_FOUND');
  if (sessionId === null) return refuse('ACCOUNT_DISABLED');
  if (row.owner_told) context.notices.deliverSoon(database);
  const outcome = await signedIn(
    context,
    tenant,
    { ...row, user_id: userId, session_id: sessionId },
    { style, amr },
  );
  if (!row.password_dropped) return outcome;
  const claims = { tenantId: tenant.id, verificationId: row.verification_id };
  return { ...outcome, setPassword: { resetToken: context.verifications.resetToken(claims) } };
}

function refuseAttempt(
  context: SignInContext,
  tenant: Tenant,
  row: VerifiedRow,
  clues: RequestClues,
): Refused {
  tellLockout(context, tenant, row, clues);
  countRefusal(context, row.state, clues);
  return refusedProof(context, row);
}

/** The code of a forgotten password opens no session: it is worth one new password, for a short time (C10). */
async function grantReset(
  context: SignInContext,
  tenant: Tenant,
  row: VerifiedRow,
): Promise<ResetGranted | Refused> {
  const user =
    row.verified_user_id === null
      ? undefined
      : await findUser(context.databaseOf(tenant.id), tenant.id, row.verified_user_id);
  // It may have been taken from the account since the code went out.
  if (!user || !hasAddress(user, row)) return refuse('ACCOUNT_NOT_FOUND');
  if (user.is_disabled) return refuse('ACCOUNT_DISABLED');
  const claims = { tenantId: tenant.id, verificationId: row.verification_id };
  return {
    ok: true,
    tenant,
    user: publicUser(user),
    resetToken: context.verifications.resetToken(claims),
    resetExpiresIn: RESET_LIFE_SECONDS,
  };
}
