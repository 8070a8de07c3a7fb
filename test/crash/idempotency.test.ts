import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { testPostgres } from '../postgres-for-tests.ts';
import { createTcpProxy, type TcpProxy } from '../tcp-proxy.ts';

const SEND = '/api/v1/auth/send-verification';
const from = '198.51.100.7';
const LEASE = 30;

let app: TestApp;
/** A server that will lose its database in the middle of a request, which to the database is its death. */
let dying: TestApp;
let way: TcpProxy;
before(async () => {
  const { hostname, port } = new URL(testPostgres().url);
  way = await createTcpProxy({ host: hostname, port: Number(port) });
  app = await createTestApp();
  dying = await app.replica({ route: (address) => ({ ...address, host: way.host, port: way.port }) });
});
after(async () => {
  await way.restore();
  await dying.close();
  await app.close();
  await way.close();
});

const messagesTo = async (email: string): Promise<unknown> =>
  (
    await app.databases.control.sql`
      select count(*)::int as count from messages m join verifications v on v.id = m.verification_id
      where v.value = ${email}`
  )[0]?.['count'];

test('R02 a server that dies in the middle leaves its key locked for the lease and no longer, and nothing done twice', async () => {
  const email = 'middle@example.com';
  const headers = { 'idempotency-key': randomUUID() };
  // The claim is committed; the send waits for a lock that it will never get.
  await app.databases.control.transaction(async (holder) => {
    await holder`lock table verifications in access exclusive mode`;
    const lost = dying.post(SEND, { email }, { from, headers });
    for (let tries = 0; ; tries++) {
      const [row] = await holder`select count(*)::int as count from idempotent_requests`;
      if (row?.['count'] === 1) break;
      assert.ok(tries < 500, 'claimed');
      await wait(10);
    }
    const during = await app.post(SEND, { email }, { from, headers });
    assert.deepEqual([during.status, during.body.error], [409, 'IDEMPOTENCY_KEY_IN_USE']);
    assert.equal(during.headers.get('retry-after'), '1');
    await way.cut();
    assert.equal((await lost).status, 503);
  });

  app.clock.advance(LEASE - 1);
  assert.equal((await app.post(SEND, { email }, { from, headers })).status, 409, 'before the lease is over');
  const other = await app.post(SEND, { email: 'other@example.com' }, { from, headers });
  app.clock.advance(1);
  assert.equal(other.body.error, 'IDEMPOTENCY_KEY_REUSED', 'another body never takes it over');
  // The statement of the dead server may still have been let through by the lock: then the cool-down answers.
  const later = await app.post(SEND, { email }, { from, headers });
  assert.ok(later.status === 200 || later.body.error === 'RESEND_TOO_SOON', JSON.stringify(later.body));
  assert.equal(await messagesTo(email), 1);
});

test('R02 an answer that could not be kept is given all the same; after the lease the request meets what it did', async () => {
  const { sql } = app.databases.control;
  await sql`create function failpoint() returns trigger language plpgsql as $$ begin raise exception 'failpoint'; end $$`;
  await sql`create trigger failpoint before update on idempotent_requests
    for each row when (new.answer_sealed is not null) execute function failpoint()`;
  const email = 'unkept@example.com';
  const headers = { 'idempotency-key': randomUUID() };
  const first = await app.post(SEND, { email }, { from, headers });
  assert.equal(first.status, 200);
  assert.equal((await app.post(SEND, { email }, { from, headers })).body.error, 'IDEMPOTENCY_KEY_IN_USE');
  await sql`drop function failpoint cascade`;
  app.clock.advance(LEASE);
  const retry = await app.post(SEND, { email }, { from, headers });
  assert.deepEqual([retry.status, retry.body.error], [429, 'RESEND_TOO_SOON']);
  assert.equal(await messagesTo(email), 1);
  const code = await app.code(email);
  const { verification_id } = first.body;
  assert.equal((await app.post('/api/v1/auth/verify-code', { verification_id, code }, { from })).status, 201);
});
