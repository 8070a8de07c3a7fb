import type { Database, Fragment, Sql } from '../db/database.ts';
import { constantTimeEqual, type Secrets } from '../kernel/secrets.ts';
import {
  chainedTenants,
  ensureHead,
  erasePersonal,
  type EventRow,
  type HeadRow,
  lastPrunable,
  type Link,
  lockHead,
  prune,
  readChained,
  readHead,
  readLoose,
  readUnchained,
  tenantsWithUnchained,
  writeLinks,
} from './chain-store.ts';
import { eventHashOf, firstHash, personalHashOf } from './hash.ts';

/** A place in the chain that was noted elsewhere: it shows that the end was cut off. Hash in hexadecimal. */
export interface Anchor {
  position: bigint;
  hash: string;
}

/** What is wrong with a chain, at its first broken place. */
export interface Break {
  position: bigint;
  id: string | null;
  problem:
    | 'missing'
    | 'edited'
    | 'order_changed'
    | 'erased_untold'
    | 'end_cut'
    | 'head_forged'
    | 'other_history';
}

export interface Verified {
  events: number;
  head: Anchor;
  prunedThrough: bigint;
  /** Events of the last seconds that the worker has not chained yet. */
  unchained: number;
  broken: Break | undefined;
}

/** The audit trail of a database as a chain for each tenant. */
export interface AuditTrail {
  /** Gives every event that waits its place. Returns how many. */
  chain(database: Database): Promise<number>;
  /** Reads a tenant's whole chain and finds its first broken place. */
  verify(database: Database, tenantId: string, anchor?: Anchor): Promise<Verified>;
  /** The events in order, one JSON text each; those not chained yet come once they are. */
  export(database: Database, tenantId: string, since?: Date): AsyncGenerator<string>;
  /** Removes events older than the tenant keeps them; the rest goes on verifying. Returns how many. */
  prune(database: Database, tenantId: string, days: number): Promise<number>;
  /** Erases what events tell of a person, in the transaction of the erasure. */
  erase(
    sql: Sql,
    query: { tenantId: string; actor: string; subjects: readonly string[]; erasedBy: string },
  ): Promise<number>;
  /** The last place of a tenant's chain, to be noted elsewhere. */
  head(database: Database, tenantId: string): Promise<Anchor | undefined>;
  tenants(database: Database): Promise<string[]>;
}

const BATCH = 500;
const SALT_BYTES = 16;

export function createAuditTrail(options: {
  secrets: Secrets;
  randomBytes: (size: number) => Uint8Array;
}): AuditTrail {
  const { secrets } = options;

  const sealOf = (tenantId: string, head: Sealed): Buffer => secrets.mac('audit', ...sealed(tenantId, head));

  /** A batch of one tenant, in one transaction: a server that dies in the middle leaves the chain as it was. */
  function chainBatch(database: Database, tenantId: string): Promise<number> {
    return database.transaction(async (begun) => {
      const sql = begun as unknown as Sql;
      const first = firstHash(tenantId);
      const start = { position: 0n, hash: first, prunedPosition: 0n, prunedHash: first };
      await ensureHead(sql, tenantId, first, sealOf(tenantId, start));
      const head = await lockHead(sql, tenantId, false);
      if (!head) return 0;
      const rows = await readUnchained(sql, tenantId, BATCH);
      if (rows.length === 0) return 0;
      let position = BigInt(head.position);
      let previous: Uint8Array = head.hash;
      const links = rows.map((row): Link => {
        position += 1n;
        const personalSalt = options.randomBytes(SALT_BYTES);
        const personalHash = personalHashOf(personalSalt, row);
        const hash = eventHashOf(previous, factsOf(tenantId, row, position), personalHash);
        const link = { id: row.id, position, previousHash: previous, hash, personalSalt, personalHash };
        previous = hash;
        return link;
      });
      const next = { ...pruningOf(head), position, hash: previous };
      await writeLinks(sql, tenantId, links, { position, hash: previous, seal: sealOf(tenantId, next) });
      return links.length;
    });
  }

  async function* read(sql: Sql, tenantId: string, after: string, upTo: string): AsyncGenerator<EventRow> {
    let last = after;
    for (;;) {
      const rows = await readChained(sql, tenantId, last, upTo, BATCH);
      yield* rows;
      const end = rows.at(-1);
      if (!end || rows.length < BATCH) return;
      last = end.position ?? last;
    }
  }

  async function verify(sql: Sql, tenantId: string, anchor: Anchor | undefined): Promise<Verified> {
    const head = await readHead(sql, tenantId);
    const first = firstHash(tenantId);
    if (!head) {
      const { unchained } = await readLoose(sql, tenantId, []);
      const broken = anchor && { position: anchor.position, id: null, problem: 'end_cut' as const };
      return {
        events: 0,
        head: { position: 0n, hash: first.toString('hex') },
        prunedThrough: 0n,
        unchained,
        broken,
      };
    }
    const { prunedPosition, prunedHash } = pruningOf(head);
    let previous: Uint8Array = prunedPosition === 0n ? first : prunedHash;
    let position = prunedPosition;
    let events = 0;
    let broken: Break | undefined;
    const erasures = new Map<string, { position: bigint; id: string }>();
    for await (const row of read(sql, tenantId, head.pruned_position, head.position)) {
      position += 1n;
      events += 1;
      broken = breakOf(tenantId, row, position, previous);
      if (broken) break;
      if (anchor?.position === position && anchor.hash !== row.hash?.toString('hex')) {
        broken = { position, id: row.id, problem: 'other_history' };
        break;
      }
      if (row.erased_by !== null && !erasures.has(row.erased_by)) {
        erasures.set(row.erased_by, { position, id: row.id });
      }
      previous = row.hash ?? previous;
    }
    const { unchained, untold } = await readLoose(sql, tenantId, [...erasures.keys()]);
    broken ??= untold
      .map((id): Break => ({ ...(erasures.get(id) ?? { position, id: '' }), problem: 'erased_untold' }))
      .toSorted((left, right) => Number(left.position - right.position))[0];
    broken ??= endOf(tenantId, head, position, previous, anchor);
    const at = { position: BigInt(head.position), hash: head.hash.toString('hex') };
    return { events, head: at, prunedThrough: prunedPosition, unchained, broken };
  }

  /** Is the end where the head says, was the head made with the secret, and is it no shorter than was once noted? */
  function endOf(
    tenantId: string,
    head: HeadRow,
    position: bigint,
    hash: Uint8Array,
    anchor: Anchor | undefined,
  ): Break | undefined {
    const expected = BigInt(head.position);
    if (position !== expected) return { position: position + 1n, id: null, problem: 'missing' };
    if (!constantTimeEqual(hash, head.hash)) return { position, id: null, problem: 'edited' };
    const parts = sealed(tenantId, { ...pruningOf(head), position: expected, hash: head.hash });
    const genuine = secrets.macs('audit', ...parts).some((seal) => constantTimeEqual(seal, head.seal));
    if (!genuine) return { position, id: null, problem: 'head_forged' };
    if (anchor && anchor.position > position) {
      return { position: position + 1n, id: null, problem: 'end_cut' };
    }
    return undefined;
  }

  return {
    async chain(database) {
      let count = 0;
      for (const tenantId of await tenantsWithUnchained(database)) {
        let batch: number;
        do {
          batch = await chainBatch(database, tenantId);
          count += batch;
        } while (batch === BATCH);
      }
      return count;
    },
    verify: (database, tenantId, anchor) =>
      database.transaction(async (begun) => {
        const sql = begun as unknown as Sql;
        // One view of it all: events that are chained or removed meanwhile change nothing.
        await sql`set transaction isolation level repeatable read, read only`;
        return verify(sql, tenantId, anchor);
      }),
    async *export(database, tenantId, since) {
      const { sql } = database;
      const head = await readHead(sql, tenantId);
      if (!head) return;
      const from = since === undefined ? 0 : since.getTime();
      for await (const row of read(sql, tenantId, head.pruned_position, head.position)) {
        if (Number(BigInt(row.at_micros) / 1000n) >= from) yield lineOf(tenantId, row);
      }
    },
    prune: (database, tenantId, days) =>
      database.transaction(async (begun) => {
        const sql = begun as unknown as Sql;
        const head = await lockHead(sql, tenantId, true);
        if (!head) return 0;
        const now: Fragment = database.now();
        const last = await lastPrunable(sql, {
          tenantId,
          days,
          now,
          prunedPosition: head.pruned_position,
          most: 1000,
        });
        if (!last) return 0;
        const seal = sealOf(tenantId, {
          position: BigInt(head.position),
          hash: head.hash,
          prunedPosition: BigInt(last.position),
          prunedHash: last.hash,
        });
        await prune(sql, tenantId, { position: last.position, hash: last.hash, seal });
        return last.count;
      }),
    async erase(sql, query) {
      // The worker must not chain what is being erased with what it read a moment before.
      await lockHead(sql, query.tenantId, true);
      return erasePersonal(sql, query);
    },
    async head(database, tenantId) {
      const head = await readHead(database.sql, tenantId);
      return head && { position: BigInt(head.position), hash: head.hash.toString('hex') };
    },
    tenants: chainedTenants,
  };
}

interface Sealed {
  position: bigint;
  hash: Uint8Array;
  prunedPosition: bigint;
  prunedHash: Uint8Array;
}

function sealed(tenantId: string, head: Sealed): (string | Uint8Array)[] {
  return [tenantId, String(head.position), head.hash, String(head.prunedPosition), head.prunedHash];
}

function pruningOf(head: HeadRow): { prunedPosition: bigint; prunedHash: Buffer } {
  return { prunedPosition: BigInt(head.pruned_position), prunedHash: head.pruned_hash };
}

function factsOf(tenantId: string, row: EventRow, position: bigint) {
  return { tenantId, position, id: row.id, action: row.action, actor: row.actor, at: row.at_micros };
}

/** What is wrong with this row, as the one that should follow `previous`. */
function breakOf(tenantId: string, row: EventRow, position: bigint, previous: Uint8Array): Break | undefined {
  const found = BigInt(row.position ?? 0);
  if (found !== position) return { position, id: null, problem: 'missing' };
  const { personal_salt: salt, personal_hash: commitment, hash, previous_hash: before } = row;
  const at = { position, id: row.id };
  if (!commitment || !hash || !before) return { ...at, problem: 'edited' };
  if (!constantTimeEqual(before, previous)) return { ...at, problem: 'order_changed' };
  const isEmpty = row.subject === null && row.ip === null && row.user_agent === null && row.data === '{}';
  const isWhole = salt
    ? constantTimeEqual(personalHashOf(salt, row), commitment)
    : row.erased_by !== null && isEmpty;
  const expected = eventHashOf(previous, factsOf(tenantId, row, position), commitment);
  return isWhole && constantTimeEqual(expected, hash) ? undefined : { ...at, problem: 'edited' };
}

/** An event as JSON Lines carry it: with everything by which its hash can be computed again. */
function lineOf(tenantId: string, row: EventRow): string {
  const { at_micros: micros, data, previous_hash, hash, personal_salt, personal_hash, ...rest } = row;
  return JSON.stringify({
    tenant_id: tenantId,
    ...rest,
    position: Number(row.position),
    at: new Date(Number(BigInt(micros) / 1000n)).toISOString(),
    at_micros: micros,
    data: JSON.parse(data) as unknown,
    data_text: data,
    previous_hash: previous_hash?.toString('hex'),
    hash: hash?.toString('hex'),
    personal_salt: personal_salt?.toString('hex') ?? null,
    personal_hash: personal_hash?.toString('hex'),
  });
}
