import type { Database, Fragment, Sql } from '../db/database.ts';
import { generateCode } from '../kernel/code.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { AddressBudgets } from '../limits/limits.ts';
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
import {
  type Candidate,
  issueFragment,
  proofFragment,
  readByAddress,
  readByHandle,
  resentFragment,
  sweepVerifications,
  type WaitingRow,
} from './store.ts';

export type { Candidate, Purpose, WaitingRow };
export { codeTemplateOf, readCode, sweepVerifications };

/** A new code with its handle; the code itself goes into the sealed message and nowhere else. */
export interface NewVerification {
  id: string;
  verificationId: string;
  code: string;
  /** `insert …` for a `with` list after `budget`; gives the id when the send was allowed. */
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
  now: Fragment;
}

export type ProofState = 'proved' | 'wrong' | 'budget' | 'dead' | 'expired' | 'used';

/** One mechanism for every channel, purpose and surface: issue, send again, prove. */
export interface Verifications {
  issue(sql: Sql, options: NewVerificationOptions): NewVerification;
  /** `update …` for a `with` list after `budget`: the same code once more. */
  resend(sql: Sql, tenantId: string, id: string, channel: string, now: Fragment): Fragment;
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
  candidatesByRows(tenantId: string, rows: readonly WaitingRow[], code: string): Candidate[];
  /** Entries of a `with` list ending in `proof` and `budget`; see store.ts. */
  prove(sql: Sql, tenantId: string, candidates: readonly Candidate[], now: Fragment): Fragment;
}

export interface VerificationsOptions {
  secrets: Secrets;
  budgets: AddressBudgets;
  newId: () => string;
  randomBytes: (size: number) => Uint8Array;
}

export function createVerifications(options: VerificationsOptions): Verifications {
  const { secrets, budgets } = options;
  return {
    issue(sql, wanted) {
      const id = options.newId();
      const code = generateCode(wanted.codeLength);
      const { handle, text } = makeHandle(wanted.tenantId, wanted.purpose, id, options.randomBytes(16));
      const [codeHash] = codeHashes(
        secrets,
        { tenantId: wanted.tenantId, purpose: wanted.purpose, id },
        code,
      );
      const insert = issueFragment(sql, {
        ...wanted,
        id,
        handleHash: handleHash(secrets, wanted.tenantId, handle),
        codeHash: codeHash as Buffer,
        codeSealed: secrets.seal(code, sealContext(wanted.tenantId, id)),
        maxAttempts: WRONG_CODES_PER_CODE,
      });
      return { id, verificationId: text, code, insert };
    },
    resend: resentFragment,
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
    prove: (sql, tenantId, candidates, now) =>
      proofFragment(sql, {
        tenantId,
        candidates,
        now,
        comparisonsLeft: budgets.comparisonsLeft(sql, now),
      }),
  };
}
