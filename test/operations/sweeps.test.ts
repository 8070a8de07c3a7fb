import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { brokenInvariants } from '../model/invariants.ts';

const AUTH = '/api/v1/auth';
const DAY = 86_400;
/** More than two batches of the sweep. */
const MANY = 2300;

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const count = async (table: string): Promise<number> => {
  const { sql } = app.databases.control;
  const [row] = await sql`select count(*)::int as count from ${sql(table)}`;
  return Number(row?.['count']);
};

test('sessions past their life are ended however many there are, and is_active tells the truth', async () => {
  const { body } = await app.signIn({ email: 'expired@firstproof.dev' });
  const other = await app.signIn({ email: 'young@firstproof.dev' });
  const { sql } = app.databases.control;
  await sql`
    with made as (
      insert into sessions (tenant_id, id, user_id, device_id, style, amr, created_at, last_used_at, expires_at)
      select tenant_id, gen_random_uuid(), user_id, device_id, style, amr, created_at, last_used_at, expires_at
      from sessions, generate_series(1, ${MANY}) where id = ${body.session.id} returning tenant_id, id, user_id),
    told as (insert into audit_events (tenant_id, id, action, actor, subject, at)
      select tenant_id, gen_random_uuid(), 'user.signed_in', 'system', 'session:' || id, now() from made)
    update users set live_sessions = live_sessions + ${MANY} where id = ${body.user.id}`;
  await sql`update sessions set expires_at = expires_at + interval '30 days' where id = ${other.body.session.id}`;
  app.clock.advance(30 * DAY);
  await app.app.worker.sweep();

  const users = await sql`select id, is_active, live_sessions from users order by is_active`;
  assert.deepEqual(
    users.map((user) => ({ ...user })),
    [
      { id: body.user.id, is_active: false, live_sessions: 0 },
      { id: other.body.user.id, is_active: true, live_sessions: 1 },
    ],
  );
  const [ended] = await sql`select count(*)::int as count from audit_events where action = 'session.ended'`;
  assert.equal(ended?.['count'], MANY + 1);
  assert.deepEqual(await brokenInvariants(sql), []);
  // A token of the other one still works after a refresh: nothing but the expired went.
  const again = await app.post(`${AUTH}/refresh`, { refresh_token: other.body.refresh_token });
  assert.equal(again.status, 200);
});

test('what is old goes in batches; what is young, live or open stays', async () => {
  const { sql } = app.databases.control;
  const { body } = await app.signIn({ email: 'sweeps@firstproof.dev' });
  await sql`
    insert into verifications
    select (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid()))).*
    from verifications v, generate_series(1, ${MANY})
    where v.id = (select verification_id from users where id = ${body.user.id})`;
  await sql`
    insert into messages
    select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).*
    from messages m, generate_series(1, ${MANY})
    where m.verification_id = (select verification_id from users where id = ${body.user.id})`;
  await sql`
    insert into buckets select 'old:' || n, ${app.clock.now().toISOString()}::timestamptz, 1
    from generate_series(1, ${MANY}) n`;
  app.clock.advance(7 * DAY - 60);
  await app.app.worker.sweep();
  assert.ok((await count('verifications')) > MANY && (await count('messages')) > MANY);
  assert.ok((await count('buckets')) < MANY);

  await app.post(`${AUTH}/send-verification`, { email: 'sweeps@firstproof.dev' });
  await app.code('sweeps@firstproof.dev');
  app.clock.advance(120);
  await app.app.worker.sweep();
  assert.deepEqual([await count('verifications'), await count('messages')], [1, 1]);
  // The account of the verification that is gone is still whole.
  assert.deepEqual(await brokenInvariants(sql), []);

  const sessions = await count('sessions');
  assert.ok(sessions > MANY);
  app.clock.advance(31 * DAY);
  await app.app.worker.sweep();
  assert.equal(await count('sessions'), 2, 'those that ended a month ago are gone, those of today are not');
  const [devices] = await sql`select count(*)::int as count from devices d where not exists (
    select from sessions s where s.device_id = d.id)`;
  assert.equal(devices?.['count'], 0, 'and the devices they leave empty');
});
