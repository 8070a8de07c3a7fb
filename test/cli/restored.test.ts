import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { createTestApp, TEST_SECRET } from '../create-test-app.ts';
import { makeFolder, runCli } from './run-cli.ts';

test('restored asks before it signs everybody out, does it in every tenant, and tells what it cannot know', async (context) => {
  const app = await createTestApp({ start: new Date() });
  const folder = makeFolder();
  context.after(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const env = {
    DATABASE_URL: app.urls.get('control') ?? '',
    FIRSTPROOF_DATABASES: `us=${app.urls.get('us')},uz=${app.urls.get('uz')}`,
    FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
    FIRSTPROOF_SECRET: TEST_SECRET,
  };
  const tokens: string[] = [];
  for (const address of [
    { phone: '+14155550161' },
    { phone: '+998901110161' },
    { email: 'one@example.com' },
  ]) {
    tokens.push((await app.signIn(address)).body.access_token);
  }
  const alive = async () =>
    (await Promise.all(tokens.map((token) => app.get('/api/v1/auth/session', { token })))).map(
      ({ status }) => status,
    );

  const asked = await runCli(['restored'], { cwd: folder, env });
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /every code, waiting registration, link and session of 3 tenants/);
  assert.match(asked.stderr, /firstproof restored --yes/);
  assert.deepEqual(await alive(), [200, 200, 200]);

  const done = await runCli(['restored', '--yes'], { cwd: folder, env });
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^us +1 /m);
  assert.match(done.stdout, /1 API key is alive; .*firstproof key list/);
  // A server that runs already hears of it.
  assert.deepEqual(await alive(), [401, 401, 401]);

  const again = await runCli(['restored', '--yes', '--json'], { cwd: folder, env });
  const { ended } = JSON.parse(again.stdout) as { ended: { tenant: string; sessions: number }[] };
  assert.deepEqual(
    ended.map(({ sessions }) => sessions),
    [0, 0, 0],
  );
});
