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

test('what nobody sends is waited for as long as it was told', async () => {
  assert.deepEqual((await look('to=nobody@example.com&wait=1')).body, []);
});

test('a server that stops answers whoever waits, and has them take their next connection elsewhere', async () => {
  const other = await createTestApp();
  const begun = await other.post('/api/v1/auth/telegram/links', {});
  const waiting = [
    other.get('/dev/messages?to=nobody@example.com&wait=10'),
    other.get(`/api/v1/auth/telegram/links/${begun.body.link_id}?wait=20&seen=waiting`),
  ];
  await pause(1000);
  await other.close();
  for (const answer of await Promise.all(waiting)) {
    assert.equal(answer.status, 200);
    // A connection that stayed would hold the stop up until it is cut.
    assert.equal(answer.headers.get('connection'), 'close');
  }
});
