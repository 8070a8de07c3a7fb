import type { Database, Fragment, Sql } from '../db/database.ts';
import { generateCode } from '../kernel/code.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { AddressBudgets, Kept } from '../limits/limits.ts';
import { WRONG_CODES_PER_CODE } from '../limits/limits.ts';
import {
  codeHashes,
  codeTemplateOf,
  HANDLE_LIFE_SECONDS,
  handleHash,
  makeHandle,
  mayBelongTo,
  MOST_CODES_COMPARED,
  type Purpose,
  readCode,
  readHandle,
  sealContext,
} from './policy.ts';
import { adoptCode, burnVerification } from './provider-code-store.ts';
import { readResetToken, RESET_LIFE_SECONDS, resetToken, type ResetTokenClaims } from './reset-token.ts';
import { readSecondProofToken, secondProofToken, spentProofFragment } from './second-proof.ts';
import { type Attestation, attestationFragment } from './attestation-store.ts';
import { endedCodesFragment, endVerifications } from './ended-store.ts';
import {
  addressQuery,
  type Candidate,
  issueFragment,
  proofFragment,
  readByAddress,
  readByHandle,
  readResettable,
  readSentAndTyped,
  resentFragment,
  spendResetFragment,
  sweepVerifications,
  takenUpFragment,
  untriedCodes,
  type WaitingRow,
} from './store.ts';

import { type GivenVerification, givenVerificationColumns, issueEachFragment } from './given-store.ts';
import { readTestUse, readTestUses, type TestEntry } from './test-code-store.ts';
import { type VouchedAddress, vouchedFragment } from './vouched-store.ts';

export {
  type GivenProof,
  givenProofColumns,
  judgePlainFragment as judgePlain,
  lockPlainFragment as lockPlain,
} from './plain-proof-store.ts';
export { eraseVerifications, verificationsOf } from './person-store.ts';
export { endAllCodes } from './restore-store.ts';
export type { Candidate, GivenVerification, Purpose, WaitingRow };
export {
  addressQuery,
  givenVerificationColumns,
  burnVerification,
  codeTemplateOf,
  endedCodesFragment as endedCodes,
  endVerifications,
  readCode,
  RESET_LIFE_SECONDS,
  sweepVerifications,
  readSentAndTyped as sentAndTyped,
  readTestUse,
  readTestUses,
  untriedCodes,
};
export type { ResetTokenClaims };

/** A new code with its handle; the code itself goes into the sealed message and nowhere else. */
export interface MadeVerification {
  id: string;
  verificationId: string;
  code: string;
}

export interface NewVerification extends MadeVerification {
  /** `insert …` for a `with` list; gives the id when the send was allowed. */
  insert: Fragment;
}

export interface NewVerificationOptions {
  tenantId: string;
  purpose: Purpose;
  channel: string;
  kind: string;
  value: string;
  asEntered: string;
  locale: string;
  codeLength: number;
  lifetimeSeconds: number;
  userId: string | null;
  /** link and step_up: only this session may finish it. */
  sessionId?: string | null;
  /** link: the address that the proved one takes the place of. */
  replacesIdentityId?: string | null;
  /** SQL of type uuid: the pending registration that its proof completes; left out: none. */
  pendingRegistrationId?: Fragment;
  /** Did whoever starts it type the waiting password? Then its handle may keep that password. */
  vouchesPassword?: boolean;
  /** A fixed code and the entry it belongs to, instead of one made for this verification. */
  fixed?: { code: string; entryId: string } | undefined;
  /** No code will ever fit, and none is sent: what a stranger gets who may not learn that nobody is there. */
  decoy?: boolean;
  /** The caller's network. */
  startedBy: string;
  /** SQL of type boolean: do its wrong codes count toward the hundred that close the address? */
  closesAddress: Fragment;
  /** SQL after `from`: one row with `due` when the send was allowed. */
  from: Fragment;
}

/** What a new verification is made of, whoever writes it. */
export type VerificationWanted = Omit<
  NewVerificationOptions,
  'from' | 'pendingRegistrationId' | 'vouchesPassword' | 'sessionId' | 'replacesIdentityId' | 'closesAddress'
>;

export type ProofState = 'proved' | 'wrong' | 'budget' | 'dead' | 'expired' | 'used';

/** One mechanism for every channel, purpose and surface: issue, send again, prove. */
export interface Verifications {
  issue(sql: Sql, options: NewVerificationOptions): NewVerification;
  /** A new verification as a row of `given`, for a statement that it shares. */
  prepare(wanted: VerificationWanted & { closesAddress: boolean }): {
    made: MadeVerification;
    row: GivenVerification;
  };
  /** `insert …` for a `with` list: one for each row of `from`, a query of `given g`. Gives the ids. */
  issueEach(sql: Sql, now: Fragment, from: Fragment): Fragment;
  /** `update …` for a `with` list after `budget`: the same code once more. */
  resend(sql: Sql, tenantId: string, id: string, channel: string, now: Fragment): Fragment;
  /** `update …` for a `with` list after `budget`: its holder comes back, perhaps under a new handle. */
  takeUp(
    sql: Sql,
    taken: { tenantId: string; row: WaitingRow; channel: string; newHandle: boolean; now: Fragment },
  ): { verificationId: string | undefined; update: Fragment };
  /** The token by which a proof may set a new password, within RESET_LIFE_SECONDS and once. */
  resetToken(claims: ResetTokenClaims): string;
  readResetToken(token: string): ResetTokenClaims | undefined;
  /** The token by which a proved number goes on to a second proof, for as long. */
  secondProofToken(tenantId: string, verificationId: string): string;
  readSecondProofToken<T extends { id: string }>(
    token: string,
    tenants: readonly T[],
  ): { tenant: T; verificationId: string } | undefined;
  /** The same entries as `prove` for a proof that led to no sign-in yet: taken once. */
  spendProof(sql: Sql, claims: ResetTokenClaims, now: Fragment): Fragment;
  /** What a reset token names while it is unspent; `is_fresh` false: its time is over. */
  findResettable(database: Database, claims: ResetTokenClaims): ReturnType<typeof readResettable>;
  /** `update …` for a `with` list: spends it. */
  spendReset(sql: Sql, claims: ResetTokenClaims, now: Fragment): Fragment;
  /** What a handle was made for, as far as its text tells; undefined when it cannot be one. */
  purposeOf(verificationId: string): Purpose | undefined;
  /** Opens the sealed code of a live verification, to send it again. */
  codeOf(tenantId: string, row: WaitingRow): string | undefined;
  /** What a handle names, live or over, for a day; undefined when it names nothing here. */
  findByHandle(database: Database, tenantId: string, verificationId: string): Promise<WaitingRow | undefined>;
  /** What waits for an address, newest first. */
  findByAddress(
    database: Database,
    address: { tenantId: string; kind: string; value: string; purposes: readonly Purpose[] },
  ): Promise<WaitingRow[]>;
  /** The candidates a handle and a code make; empty when it cannot be one of this tenant's. No database is asked. */
  candidatesByHandle(tenantId: string, verificationId: string, code: string): Candidate[];
  /** The candidates of the rows found by address. */
  candidatesByRows(
    tenantId: string,
    rows: readonly Pick<WaitingRow, 'id' | 'purpose'>[],
    code: string,
  ): Candidate[];
  /**
   * A code that a provider made and has approved becomes this verification's own, and its counted attempt is taken
   * back: the proof that follows counts, compares and consumes as any other. False when it has ended meanwhile.
   */
  adopt(
    database: Database,
    of: { tenantId: string; purpose: Purpose; id: string },
    code: string,
  ): Promise<boolean>;
  /** The same entries as `prove` for an address that needs no code. */
  vouch(sql: Sql, vouched: Omit<VouchedAddress, 'id' | 'handleHash' | 'codeHash'>): Fragment;
  /** Entries of a `with` list after `spent`, ending in `proof` and `budget`: a proof without a code of ours. */
  attest(sql: Sql, attestation: Omit<Attestation, 'id' | 'nothing'>): { id: string; fragment: Fragment };
  /** Entries of a `with` list ending in `proof` and `budget`; see store.ts. */
  prove(sql: Sql, proving: Proving): Fragment;
}

/** What a check needs to know. */
export interface Proving {
  tenantId: string;
  candidates: readonly Candidate[];
  /** The caller's network. */
  caller: string;
  /** Counted before, and found right by whoever made the code: no budget is asked again. */
  approved?: boolean;
  /** Fixed codes of the tenant; left out: none may be used. */
  testEntries?: readonly TestEntry[];
  now: Fragment;
  /** What the address keeps for its owner from this caller, as SQL over `b`. */
  share: Kept & { reserve: Fragment; untried: Fragment };
}

export interface VerificationsOptions {
  secrets: Secrets;
  budgets: AddressBudgets;
  newId: () => string;
  randomBytes: (size: number) => Uint8Array;
}

export function createVerifications(options: VerificationsOptions): Verifications {
  const { secrets, budgets } = options;

  /** The values of a new verification; the code itself goes into the sealed message and nowhere else. */
  function make(wanted: VerificationWanted) {
    const id = options.newId();
    const code = wanted.fixed?.code ?? generateCode(wanted.codeLength);
    const { tenantId, purpose, decoy = false } = wanted;
    const { handle, text } = makeHandle(tenantId, purpose, id, options.randomBytes(16));
    const [codeHash] = codeHashes(secrets, { tenantId, purpose, id }, code);
    const row = {
      id,
      isDecoy: decoy,
      codeLength: code.length,
      handleHash: handleHash(secrets, tenantId, handle),
      codeHash: decoy ? options.randomBytes(32) : (codeHash as Buffer),
      // A fixed code is never sent, so nothing of it is kept here.
      codeSealed: decoy || wanted.fixed ? null : secrets.seal(code, sealContext(tenantId, id)),
    };
    return { made: { id, verificationId: text, code }, row };
  }

  return {
    issue(sql, wanted) {
      const { made, row } = make(wanted);
      const insert = issueFragment(sql, {
        ...wanted,
        ...row,
        pendingRegistrationId: wanted.pendingRegistrationId ?? sql`null::uuid`,
        vouchesPassword: wanted.vouchesPassword ?? false,
        testEntry: wanted.fixed?.entryId ?? null,
        sessionId: wanted.sessionId ?? null,
        replacesIdentityId: wanted.replacesIdentityId ?? null,
        maxAttempts: WRONG_CODES_PER_CODE,
      });
      return { ...made, insert };
    },
    prepare(wanted) {
      const { made, row } = make(wanted);
      const given: GivenVerification = {
        id: made.id,
        handle_hash: row.handleHash.toString('hex'),
        purpose: wanted.purpose,
        kind: wanted.kind,
        value: wanted.value,
        as_entered: wanted.asEntered,
        code_hash: Buffer.from(row.codeHash).toString('hex'),
        code_sealed: row.codeSealed && row.codeSealed.toString('hex'),
        code_length: row.codeLength,
        user_id: wanted.userId,
        is_decoy: row.isDecoy,
        started_by: wanted.startedBy,
        closes_address: wanted.closesAddress,
        code_seconds: wanted.lifetimeSeconds,
      };
      return { made, row: given };
    },
    issueEach: (sql, now, from) => issueEachFragment(sql, WRONG_CODES_PER_CODE, now, from),
    resend: resentFragment,
    takeUp(sql, { tenantId, row, channel, newHandle, now }) {
      const made = newHandle ? makeHandle(tenantId, row.purpose, row.id, options.randomBytes(16)) : undefined;
      const hash = made ? handleHash(secrets, tenantId, made.handle) : null;
      return {
        verificationId: made?.text,
        update: takenUpFragment(sql, { tenantId, id: row.id, channel, handleHash: hash, now }),
      };
    },
    resetToken: (claims) => resetToken(secrets, claims),
    readResetToken: (token) => readResetToken(secrets, token),
    secondProofToken: (tenantId, verificationId) => secondProofToken(secrets, tenantId, verificationId),
    readSecondProofToken: (token, tenants) => readSecondProofToken(secrets, token, tenants),
    spendProof: (sql, { tenantId, verificationId: id }, now) =>
      spentProofFragment(sql, { tenantId, id, lifeSeconds: RESET_LIFE_SECONDS, now }),
    findResettable: (database, claims) =>
      readResettable(database, claims.tenantId, claims.verificationId, RESET_LIFE_SECONDS),
    spendReset: (sql, claims, now) =>
      spendResetFragment(sql, {
        tenantId: claims.tenantId,
        id: claims.verificationId,
        lifeSeconds: RESET_LIFE_SECONDS,
        now,
      }),
    purposeOf: (verificationId) => readHandle(verificationId)?.purpose,
    codeOf(tenantId, row) {
      return row.code_sealed === null
        ? undefined
        : secrets.open(row.code_sealed, sealContext(tenantId, row.id)).toString();
    },
    async findByHandle(database, tenantId, verificationId) {
      const handle = readHandle(verificationId);
      if (!handle || !mayBelongTo(handle, tenantId)) return undefined;
      const hashes = secrets.macs('handle', tenantId, handle.bytes);
      return readByHandle(database, tenantId, handle.id, hashes, HANDLE_LIFE_SECONDS);
    },
    findByAddress: (database, address) =>
      readByAddress(database, address, HANDLE_LIFE_SECONDS, MOST_CODES_COMPARED),
    candidatesByHandle(tenantId, verificationId, code) {
      const handle = readHandle(verificationId);
      if (!handle || !mayBelongTo(handle, tenantId)) return [];
      const handles = secrets.macs('handle', tenantId, handle.bytes);
      const codes = codeHashes(secrets, { tenantId, purpose: handle.purpose, id: handle.id }, code);
      return handles.flatMap((hash, index) => {
        const codeHash = codes[index];
        return codeHash ? [{ id: handle.id, handleHash: hash, codeHash }] : [];
      });
    },
    candidatesByRows: (tenantId, rows, code) =>
      rows.flatMap((row) =>
        codeHashes(secrets, { tenantId, purpose: row.purpose, id: row.id }, code).map((codeHash) => ({
          id: row.id,
          handleHash: null,
          codeHash,
        })),
      ),
    vouch: (sql, vouched) =>
      vouchedFragment(sql, {
        ...vouched,
        id: options.newId(),
        handleHash: options.randomBytes(32),
        codeHash: options.randomBytes(32),
      }),
    attest(sql, attestation) {
      const id = options.newId();
      const nothing: [Uint8Array, Uint8Array] = [options.randomBytes(32), options.randomBytes(32)];
      return { id, fragment: attestationFragment(sql, { ...attestation, id, nothing }) };
    },
    async adopt(database, of, code) {
      const [codeHash] = codeHashes(secrets, of, code);
      const codeSealed = secrets.seal(code, sealContext(of.tenantId, of.id));
      return adoptCode(database, { ...of, codeHash: codeHash as Buffer, codeSealed });
    },
    prove: (sql, { share, approved = false, testEntries = [], ...proving }) =>
      proofFragment(sql, {
        ...proving,
        testEntries,
        comparisonsLeft: approved ? sql`1000` : budgets.comparisonsLeft(sql, proving.now),
        kept: approved ? sql`0` : share.reserve,
        untried: approved ? sql`0` : share.untried,
        failuresInARow: approved ? sql`0` : budgets.failuresInARow(sql, share),
        inARow: budgets.inARow,
      }),
  };
}
