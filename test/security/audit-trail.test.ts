import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';

let app: TestApp;
let replica: TestApp;
let tenantId: string;
before(async () => {
  app = await createTestApp({ env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' } });
  replica = await app.replica();
  tenantId = app.app.tenants.bySlug('default')?.id ?? '';
});
after(async () => {
  await replica.close();
  await app.close();
});

const verify = (anchor?: { position: bigint; hash: string }) =>
  app.app.audit.verify(app.databases.control, tenantId, anchor);
let counter = 0;
const signIn = () => app.signIn({ email: `trail-${++counter}@example.com` }, {}, { from: newCaller() });

beforeEach(async () => {
  for (let index = 0; index < 3; index++) await signIn();
  await app.app.worker.chainAudit();
  assert.equal((await verify()).broken, undefined);
});

/** Runs a change by hand, looks, and takes it back. */
async function tampered(change: string, look: () => Promise<unknown>): Promise<void> {
  const { sql } = app.databases.control;
  await sql.unsafe(
    'create table kept_events as select * from audit_events; create table kept_heads as select * from audit_heads',
  );
  try {
    await sql.unsafe(change);
    await look();
  } finally {
    await sql.unsafe(`delete from audit_events; insert into audit_events select * from kept_events; drop table kept_events;
      delete from audit_heads; insert into audit_heads select * from kept_heads; drop table kept_heads`);
  }
}

test('S49 an edited event is named, whichever column was changed', async () => {
  for (const change of [
    `action = 'user.other'`,
    `actor = 'user:nobody'`,
    `subject = 'session:other'`,
    `ip = '192.0.2.99'`,
    `user_agent = 'another'`,
    `at = at + interval '1 microsecond'`,
    `data = '{"state":"wrong"}'`,
    `personal_hash = sha256(personal_hash)`,
    `hash = sha256(hash)`,
    `previous_hash = sha256(hash)`,
    `subject = null, ip = null, user_agent = null, data = '{}', personal_salt = null`,
  ]) {
    await tampered(
      `update audit_events set ${change} where position = 4 and tenant_id = '${tenantId}'`,
      async () => {
        const { broken } = await verify();
        assert.equal(broken?.position, 4n, change);
      },
    );
  }
});

test('S49 a removed event, one put in another place and one slipped in are found', async () => {
  await tampered(`delete from audit_events where position = 3 and tenant_id = '${tenantId}'`, async () => {
    assert.deepEqual((await verify()).broken, { position: 3n, id: null, problem: 'missing' });
  });
  const swap = `update audit_events set position = -position where position in (2, 5) and tenant_id = '${tenantId}';
    update audit_events set position = case when position = -2 then 5 else 2 end where position < 0`;
  await tampered(swap, async () => assert.equal((await verify()).broken?.position, 2n));
  const erased = `update audit_events set subject = null, ip = null, user_agent = null, data = '{}', personal_salt = null,
    erased_by = gen_random_uuid() where position = 4 and tenant_id = '${tenantId}'`;
  await tampered(erased, async () => {
    const { broken } = await verify();
    assert.deepEqual([broken?.position, broken?.problem], [4n, 'erased_untold']);
  });
});

test('S49 an end cut off is found: by the head, by its seal, and by an anchor noted elsewhere', async () => {
  const anchor = await app.app.audit.head(app.databases.control, tenantId);
  assert.ok(anchor);
  const last = anchor.position;
  const cut = `delete from audit_events where position > ${last - 2n} and tenant_id = '${tenantId}'`;
  await tampered(cut, async () => assert.equal((await verify()).broken?.problem, 'missing'));
  const covered = `${cut}; update audit_heads set position = ${last - 2n}, hash = (select hash from audit_events
    where position = ${last - 2n} and tenant_id = '${tenantId}') where tenant_id = '${tenantId}'`;
  await tampered(covered, async () => assert.equal((await verify()).broken?.problem, 'head_forged'));

  const { sql } = app.databases.control;
  const [old] = await sql<
    { row: string }[]
  >`select row_to_json(h)::text as row from audit_heads h where tenant_id = ${tenantId}`;
  await signIn();
  await app.app.worker.chainAudit();
  const newer = await app.app.audit.head(app.databases.control, tenantId);
  const replayed = `delete from audit_events where position > ${last} and tenant_id = '${tenantId}';
    delete from audit_heads where tenant_id = '${tenantId}';
    insert into audit_heads select * from json_populate_record(null::audit_heads, '${old?.row}')`;
  await tampered(replayed, async () => {
    assert.equal((await verify()).broken, undefined, 'an old state whole: only an anchor shows it');
    assert.equal((await verify(newer))?.broken?.problem, 'end_cut');
    assert.equal((await verify({ ...anchor, hash: 'ab'.repeat(32) })).broken?.problem, 'other_history');
  });
  assert.equal((await verify(anchor)).broken, undefined);
});

test('S49 two servers that chain at once while people sign in leave one chain, with every event in it once', async () => {
  const work = Array.from({ length: 12 }, () => signIn());
  const chaining = Array.from({ length: 20 }, (_, index) =>
    (index % 2 === 0 ? app : replica).app.worker.chainAudit(),
  );
  await Promise.all([...work, ...chaining]);
  // An event whose transaction began before the others and commits after them is chained then.
  await app.databases.control.transaction(async (sql) => {
    await sql`insert into audit_events (tenant_id, id, action, actor, at)
      values (${tenantId}, gen_random_uuid(), 'user.updated', 'system', '2020-01-01')`;
    await signIn();
    await replica.app.worker.chainAudit();
  });
  await app.app.worker.chainAudit();
  const { broken, events, unchained } = await verify();
  const [row] = await app.databases.control.sql`
    select count(*)::int as all, max(position)::int as last from audit_events where tenant_id = ${tenantId}`;
  assert.deepEqual({ broken, unchained, events }, { broken: undefined, unchained: 0, events: row?.['all'] });
  assert.equal(row?.['last'], events);
});

test('S49 what the retention removes leaves a chain that verifies, and one that nobody could have shortened', async () => {
  const before = await verify();
  app.clock.advance(31 * 86_400);
  await signIn();
  await app.app.worker.chainAudit();
  const removed = await app.app.audit.prune(app.databases.control, tenantId, 30);
  assert.equal(removed, before.events);
  const after = await verify();
  assert.deepEqual([after.broken, after.prunedThrough], [undefined, before.head.position]);
  assert.equal(await app.app.audit.prune(app.databases.control, tenantId, 30), 0);
  const more = `delete from audit_events where position = ${before.head.position + 1n} and tenant_id = '${tenantId}';
    update audit_heads set pruned_position = pruned_position + 1, pruned_hash = (select previous_hash from audit_events
      where position = ${before.head.position + 2n} and tenant_id = '${tenantId}') where tenant_id = '${tenantId}'`;
  await tampered(more, async () => assert.equal((await verify()).broken?.problem, 'head_forged'));
});

test('S49 an export is enough to compute the chain again, without a secret', async () => {
  let previous: string | undefined;
  let count = 0;
  for await (const line of app.app.audit.export(app.databases.control, tenantId)) {
    const event = JSON.parse(line) as Record<string, string>;
    const hash = (parts: readonly (string | Buffer | null | undefined)[]): Buffer => {
      const sha = createHash('sha256');
      for (const part of parts) {
        const length = Buffer.alloc(4);
        const bytes = part === null || part === undefined ? undefined : Buffer.from(part as string);
        length.writeUInt32BE(bytes?.byteLength ?? 0xffff_ffff);
        sha.update(length).update(bytes ?? '');
      }
      return sha.digest();
    };
    const hex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex');
    const personal = hash([
      hex(event['personal_salt']),
      event['subject'],
      event['ip'],
      event['user_agent'],
      event['data_text'],
    ]);
    assert.equal(personal.toString('hex'), event['personal_hash']);
    if (previous !== undefined) assert.equal(event['previous_hash'], previous);
    const own = hash([
      hex(event['previous_hash']),
      event['tenant_id'],
      String(event['position']),
      event['id'],
      event['action'],
      event['actor'],
      event['at_micros'],
      personal,
    ]);
    assert.equal(own.toString('hex'), event['hash']);
    previous = event['hash'];
    count++;
  }
  assert.ok(count > 0);
  assert.equal((await app.app.audit.head(app.databases.control, tenantId))?.hash, previous);
});

test('S49 whoever types a code that is over fills no trail with it; what is right is recorded as ever', async () => {
  const small = await app.replica({ env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '5' } });
  try {
    const from = newCaller();
    const email = `trail-${++counter}@example.com`;
    const sent = await small.post('/api/v1/auth/send-verification', { email }, { from });
    const proof = { verification_id: sent.body.verification_id, code: await small.code(email) };
    const verifyFrom = (caller: string, body: object) =>
      small.post('/api/v1/auth/verify-code', body, { from: caller });
    assert.equal((await verifyFrom(from, proof)).status, 201);
    const statuses: number[] = [];
    for (let again = 0; again < 130; again++) statuses.push((await verifyFrom(from, proof)).status);
    assert.deepEqual(new Set(statuses), new Set([404]), 'answered all the same');
    const [row] = await app.databases.control.sql`
      select count(*)::int as refused from audit_events where action = 'code.refused' and subject = ${`email:${email}`}`;
    assert.ok(row?.['refused'] >= 100 && row?.['refused'] <= 110, `${row?.['refused']} events`);
    const other = await small.signIn({ email: `trail-${++counter}@example.com` }, {}, { from: newCaller() });
    assert.equal(other.status, 201);
    const own = await small.signIn({ email: `trail-${counter}-own@example.com` }, {}, { from });
    assert.equal(own.status, 201, 'a right code of the same caller');
    const signed = await app.databases.control.sql`
      select from audit_events where action = 'user.signed_in' and actor = ${`user:${own.body.user.id}`}`;
    assert.equal(signed.length, 1, 'and is recorded');
  } finally {
    await small.close();
  }
});
