import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { copyTestDatabase, type TestAddress } from '../postgres-for-tests.ts';
import { newCaller } from '../race/started.ts';
import { beginLink, LINKS } from '../telegram/link.ts';

const AUTH = '/api/v1/auth';

/** What a backup of this moment holds, as databases of their own. */
async function backUp(app: TestApp) {
  const copies = new Map<string, Awaited<ReturnType<typeof copyTestDatabase>>>();
  for (const url of app.urls.values())
    copies.set(new URL(url).pathname.slice(1), await copyTestDatabase(url));
  return {
    /** The databases of the backup in place of those that went on. */
    route: (address: TestAddress): TestAddress => copies.get(address.database)?.address ?? address,
    drop: async (): Promise<void> => {
      await Promise.all([...copies.values()].map((copy) => copy.drop()));
    },
  };
}

test('R12 what was used or ended since a backup was made is worth nothing after the restore', async (context) => {
  const app = await createTestApp();
  const undo = [() => app.close()];
  context.after(async () => {
    for (const close of undo.reverse()) await close();
  });
  const from = newCaller();
  const phone = '+14155550151';
  const [leaver, stayer] = [await app.signIn({ phone }), await app.signIn({ phone }, { style: 'opaque' })];
  app.clock.advance(61);
  const before = await app.newestMessage(phone);
  const sent = await app.post(`${AUTH}/send-verification`, { phone }, { from });
  const code = { verification_id: sent.body.verification_id, code: await app.code(phone, { after: before }) };
  const email = 'waiting@example.com';
  const registration = { email, password: 'a long and lonely sentence', first_name: 'Mallory' };
  const waiting = await app.post(`${AUTH}/register`, registration, { from });
  assert.equal(waiting.status, 202, JSON.stringify(waiting.body));
  const proof = { verification_id: waiting.body.verification_id, code: await app.code(email) };
  const link = await beginLink(app, { from });
  const headers = { 'idempotency-key': randomUUID() };
  const kept = await app.post(`${AUTH}/send-verification`, { phone: '+14155550152' }, { from, headers });
  await app.app.worker.dispatch();

  const backup = await backUp(app);
  undo.push(backup.drop);

  // Life goes on, and then the database is lost.
  const token = leaver.body.access_token as string;
  assert.equal((await app.post(`${AUTH}/logout`, {}, { token })).status, 200);
  assert.equal((await app.post(`${AUTH}/verify-code`, code, { from })).status, 200);
  assert.equal((await app.post(`${AUTH}/verify-code`, proof, { from })).status, 201);

  const restored = await app.replica({ route: backup.route });
  undo.push(() => restored.close());
  const isAlive = async (one: string) =>
    (await restored.get(`${AUTH}/session`, { token: one })).status === 200;
  assert.ok(await isAlive(token), 'the danger: a session that was ended lives again');

  const counts = await Promise.all(
    restored.app.tenants.all().map((tenant) => restored.app.accounts.endAfterRestore(tenant, 'system')),
  );
  const sum = (pick: (one: (typeof counts)[number]) => number) =>
    counts.reduce((total, one) => total + pick(one), 0);
  assert.deepEqual(
    [sum((one) => one.sessions), sum((one) => one.registrations), sum((one) => one.links)],
    [2, 1, 1],
  );
  assert.equal(
    sum((one) => one.codes),
    3,
    'of the sign-in, of the registration, and of the kept answer',
  );

  for (const one of [token, stayer.body.access_token as string]) assert.ok(!(await isAlive(one)));
  const refreshed = await restored.post(`${AUTH}/refresh`, { refresh_token: leaver.body.refresh_token });
  assert.equal(refreshed.status, 401);
  const guess = await restored.post(`${AUTH}/verify-code`, code, { from });
  assert.deepEqual([guess.status, guess.body.error], [410, 'CODE_EXPIRED']);
  assert.ok((await restored.post(`${AUTH}/verify-code`, proof, { from })).status >= 400);
  const state = (await restored.get(`${LINKS}/${link.linkId}`)).body.state as string;
  assert.equal(state, 'expired');
  const repeated = await restored.post(
    `${AUTH}/send-verification`,
    { phone: '+14155550152' },
    { from, headers },
  );
  assert.notEqual(repeated.body.verification_id, kept.body.verification_id, 'the kept answer is forgotten');

  // Who has the address proves it anew, and nothing that waited comes along.
  app.clock.advance(120);
  const again = await restored.signIn({ email }, {}, { from: newCaller() });
  assert.deepEqual([again.status, again.body.user.first_name], [201, null]);
  const events = await restored.databases.of('us').sql`
    select count(*)::int as count from audit_events where action = 'tenant.restored'`;
  assert.equal(events[0]?.['count'], 1);

  // Run twice, for it was interrupted: it ends what is left, and no more.
  const twice = await restored.app.accounts.endAfterRestore(
    restored.app.tenants.bySlug('us') ?? assert.fail(),
    'system',
  );
  assert.deepEqual({ ...twice, codes: 0 }, { codes: 0, registrations: 0, links: 0, sessions: 0 });
});
