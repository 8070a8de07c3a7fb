import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const SEND = '/api/v1/auth/send-verification';
const look = (query: string) => app.get(`/dev/messages?${query}`);

test('with wait the inbox answers once what was asked for before has arrived, and not with an older message', async () => {
  const email = 'waits@example.com';
  await app.post(SEND, { email });
  const [first] = (await look(`to=${email}&wait=10`)).body;
  assert.match(first.code, /^\d{6}$/);
  app.clock.advance(61);

  for (const query of ['limit=1&wait=10', `after=${first.id}&wait=10`]) {
    const release = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    // Nothing arrives while this is held; what is there can be read.
    const held = app.databases.control.sql.begin(async (sql) => {
      await sql`lock table dev_inbox in exclusive mode`;
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    assert.equal((await app.post(SEND, { email })).status, 200);
    const asked = look(`to=${email}&${query}`);
    await pause(200);
    assert.deepEqual(
      (await look(`to=${email}`)).body.map(({ id }: { id: string }) => id),
      [first.id],
      'without wait the answer is what is there',
    );
    release.resolve();
    await held;
    const { body } = await asked;
    assert.equal(body.length, 1);
    assert.notEqual(body[0].id, first.id);
    assert.match(body[0].code, /^\d{6}$/);
    await app.databases.control.sql`delete from dev_inbox where id = ${body[0].id}`;
    app.clock.advance(61);
  }
});

test('what nobody sends is waited for as long as it was told; a server that stops does not wait', async () => {
  assert.deepEqual((await look('to=nobody@example.com&wait=1')).body, []);
  const other = await createTestApp();
  const asked = other.get('/dev/messages?to=nobody@example.com&wait=10').catch(() => undefined);
  await pause(100);
  const before = performance.now();
  await other.close();
  await asked;
  // Far from a limit that noise could reach: the wait is ten seconds.
  assert.ok(performance.now() - before < 9000);
});
