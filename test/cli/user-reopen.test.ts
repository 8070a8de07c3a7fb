import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';
import { makeFolder, type Ran, runCli } from './run-cli.ts';

let app: TestApp;
let folder: string;

before(async () => {
  app = await createTestApp({ start: new Date() });
  folder = makeFolder();
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

const reopen = (...words: string[]): Promise<Ran> =>
  runCli(['user', 'reopen', ...words], {
    cwd: folder,
    env: {
      DATABASE_URL: app.urls.get('control') ?? '',
      FIRSTPROOF_DATABASES: `us=${app.urls.get('us')},uz=${app.urls.get('uz')}`,
      FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
      FIRSTPROOF_SECRET: TEST_SECRET,
    },
  });

test('an operator opens a closed address, in the database of its market, and it is recorded', async () => {
  const phone = '+14155557001';
  await app.signIn({ phone });
  const { sql } = app.databases.of('us');
  await sql`update address_budgets set failures_in_a_row = 100, closed_at = now() where value = ${phone}`;
  app.clock.advance(61);
  const send = () => app.post('/api/v1/auth/send-verification', { phone });
  assert.equal((await send()).body.next_action, 'USE_ANOTHER_WAY');

  assert.match((await reopen(phone, '--tenant', 'default')).stdout, /was not closed/);
  const opened = await reopen('+1 (415) 555-7001');
  assert.equal(opened.stdout, '+1 (415) 555-7001 is open again.\n', opened.stderr);
  assert.equal(opened.code, 0);
  assert.equal((await send()).status, 200);
  const events = await sql`select actor from audit_events where action = 'address.reopened'`;
  assert.deepEqual([...events], [{ actor: 'system' }]);

  const again = await reopen(phone, '--tenant', 'us', '--json');
  assert.deepEqual(JSON.parse(again.stdout), []);
});

test('what is no address, or no tenant, is told', async () => {
  const nonsense = await reopen('somebody');
  assert.notEqual(nonsense.code, 0);
  assert.match(nonsense.stderr, /somebody/);
  assert.notEqual((await reopen('ada@example.com', '--tenant', 'nobody')).code, 0);
});
