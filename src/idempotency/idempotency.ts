import type { Database } from '../db/database.ts';
import { constantTimeEqual, type Secrets } from '../kernel/secrets.ts';
import { canonicalJson, isKept, parseIdempotencyKey } from './policy.ts';
import {
  claimRequest,
  dropClaim,
  forgetAnswers,
  keepAnswer,
  readRequest,
  type RequestId,
  sweepIdempotency,
} from './store.ts';

export { forgetAnswers, parseIdempotencyKey, sweepIdempotency };

/** What a request is known by. */
export interface IdempotentRequest {
  tenantId: string;
  /** Route and caller: the same key in another place, or of somebody else, is another request. */
  scope: readonly string[];
  key: string;
  body: object;
}

/** An answer as it is given again. */
export interface KeptAnswer {
  status: number;
  body: string;
}

/** The right to answer a request, for as long as its lease runs. */
export interface Claim extends RequestId {
  database: Database;
  claim: string;
}

export type Begun =
  | { state: 'claimed'; claim: Claim }
  | { state: 'answered'; answer: KeptAnswer }
  | { state: 'in_progress' }
  | { state: 'other_body' };

/** Requests that may be sent again without being done again (draft-ietf-httpapi-idempotency-key-header). */
export interface Idempotency {
  /** Claims the request, or tells what became of the one that has its key. */
  begin(database: Database, request: IdempotentRequest): Promise<Begun>;
  /** Keeps the answer for a day, or frees the key where nothing was done. */
  finish(claim: Claim, answer: KeptAnswer): Promise<void>;
}

const KEEP_SECONDS = 86_400;
/** Twice what the slowest request may take: a shorter lease would let a second one begin beside it. */
const LEASE_SECONDS = 30;

export function createIdempotency({
  secrets,
  newId,
}: {
  secrets: Secrets;
  newId: () => string;
}): Idempotency {
  /** The request under each secret, the current one first: a rotation forgets nobody. */
  function idsOf({ tenantId, scope, key, body }: IdempotentRequest): RequestId[] {
    // With the key, which is kept nowhere: whoever has table and secret cannot try passwords on the fingerprint.
    const fingerprints = secrets.macs('idempotency', 'body', key, canonicalJson(body));
    return secrets
      .macs('idempotency', 'request', tenantId, key, ...scope)
      .map((id, index) => ({ tenantId, id, fingerprint: fingerprints[index] as Buffer }));
  }

  async function find(database: Database, ids: readonly RequestId[]): Promise<Begun | undefined> {
    for (const request of ids) {
      const row = await readRequest(database, request);
      if (!row) continue;
      if (!constantTimeEqual(row.fingerprint, request.fingerprint)) return { state: 'other_body' };
      if (row.answer_sealed === null && !row.is_held) continue;
      if (row.answer_sealed === null) return { state: 'in_progress' };
      const answer = JSON.parse(secrets.open(row.answer_sealed, contextOf(request)).toString()) as KeptAnswer;
      return { state: 'answered', answer };
    }
    return undefined;
  }

  return {
    async begin(database, request) {
      const [current, ...earlier] = idsOf(request);
      if (!current) throw new Error('at least one secret is needed');
      const before = earlier.length > 0 ? await find(database, earlier) : undefined;
      if (before) return before;
      // What is being answered may be given up between the two statements: then it is claimed after all.
      for (let attempt = 0; attempt < 3; attempt++) {
        const claim = newId();
        const terms = { claim, leaseSeconds: LEASE_SECONDS, keepSeconds: KEEP_SECONDS };
        if (await claimRequest(database, current, terms)) {
          return { state: 'claimed', claim: { ...current, database, claim } };
        }
        const found = await find(database, [current]);
        if (found) return found;
      }
      return { state: 'in_progress' };
    },
    finish(claim, answer) {
      if (!isKept(answer.status)) return dropClaim(claim.database, claim, claim.claim);
      const sealed = secrets.seal(JSON.stringify(answer), contextOf(claim));
      return keepAnswer(claim.database, claim, claim.claim, sealed);
    },
  };
}

function contextOf({ tenantId, id, fingerprint }: RequestId): string {
  return `idempotency:${tenantId}:${id.toString('hex')}:${fingerprint.toString('hex')}`;
}
