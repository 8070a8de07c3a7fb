import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import postgres from 'postgres';
import { createEmptyDatabase, makeFolder, runCli, startServe } from './run-cli.ts';

const SECRET = 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq';
const OTHER_SECRET = 'Zt4mB7yHqK1wXs9VjR3nL8dPfU2cE6gAoI5TzNwQ';
const settings = { FIRSTPROOF_PUBLIC_URL: 'https://auth.school.uz', FIRSTPROOF_SECRET: SECRET };
const cwd = makeFolder();
after(() => rmSync(cwd, { recursive: true, force: true }));

test('serve names every missing setting at once, and where to begin', async () => {
  const { code, stdout, stderr } = await runCli(['serve'], { cwd });
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /FIRSTPROOF_PUBLIC_URL is missing/);
  assert.match(stderr, /FIRSTPROOF_SECRET is missing.*openssl rand/);
  assert.match(stderr, /serve --development/);
  assert.doesNotMatch(stderr, /\n {4}at /);
});

test('S50 a .env that holds the secret and that everybody may read is refused', async () => {
  const folder = makeFolder();
  const file = join(folder, '.env');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  chmodSync(file, 0o644);
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const open = await runCli(['serve'], { cwd: folder, env });
  assert.equal(open.code, 2);
  assert.match(open.stderr, /\.env holds FIRSTPROOF_SECRET and everybody may read it: chmod 600 \.env/);
  chmodSync(file, 0o600);
  const closed = await runCli(['serve'], { cwd: folder, env });
  assert.equal(closed.code, 1);
  assert.match(closed.stderr, /^database control: cannot be used: nothing listens at its address[^\n]*\n$/);
  rmSync(folder, { recursive: true });
});

test('an outside PostgreSQL: a first start makes the tenant "default", a stop ends cleanly', async () => {
  const database = await createEmptyDatabase();
  const env = { ...settings, DATABASE_URL: database.url };
  const server = await startServe([], { cwd, env });
  const made = await runCli(['key', 'create', '--name', 'first', '--scope', 'admin'], { cwd, env });
  assert.match(made.stdout, /^fp_sk_/);
  assert.match((await runCli(['tenant', 'list'], { cwd, env })).stdout, /^default +Firstproof/m);

  const wrong = await runCli(['tenant', 'list'], { cwd, env: { ...env, FIRSTPROOF_SECRET: OTHER_SECRET } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^FIRSTPROOF_SECRET is not the one that this database was made with\./);
  const rotated = { ...env, FIRSTPROOF_SECRET: `${OTHER_SECRET},${SECRET}` };
  assert.equal((await runCli(['tenant', 'list'], { cwd, env: rotated })).code, 0);

  const { port } = new URL(server.url);
  const taken = await runCli(['serve', '--port', port, '--host', '127.0.0.1'], { cwd, env });
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, new RegExp(`Port ${port} is taken`));

  const stopped = await server.stop('SIGTERM');
  assert.equal(stopped.code, 0);
  assert.equal(stopped.stdout, '');
  const events = stopped.stderr
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event);
  assert.ok(events.includes('first_tenant'));
  assert.deepEqual(events.slice(-2), ['stopping', 'stopped']);
  assert.equal(stopped.stderr.includes(SECRET), false);
  await database.drop();
});

test('S47 SMS as the only way, and a channel without a provider, stand in the start log', async () => {
  const database = await createEmptyDatabase();
  const env = { ...settings, DATABASE_URL: database.url };
  await runCli(['migrate'], { cwd, env });
  await runCli(['tenant', 'create', 'default'], { cwd, env });
  await runCli(['tenant', 'set', 'default', 'channels=sms'], { cwd, env });
  const server = await startServe([], { cwd, env });
  const { stderr } = await server.stop('SIGTERM');
  assert.match(
    stderr,
    /tenant default: SMS is the only way to sign in.*tenant set default channels=sms,email/,
  );
  assert.match(stderr, /tenant default: nobody can sign in: no provider is configured for sms/);
  const doctor = await runCli(['doctor'], { cwd, env });
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.match(doctor.stdout, /^warn {2}tenant default: SMS is the only way/m);
  assert.match(doctor.stdout, /^warn {2}proxies: /m);
  await database.drop();
});

test('S18 a database that may forget is refused by name, unless that is allowed', async () => {
  const database = await createEmptyDatabase();
  const sql = postgres(database.url, { max: 1 });
  await sql.unsafe(`alter database ${new URL(database.url).pathname.slice(1)} set synchronous_commit = off`);
  await sql.end();
  const env = { ...settings, DATABASE_URL: database.url };
  const refused = await runCli(['serve'], { cwd, env });
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^database control: has synchronous_commit=off.*FIRSTPROOF_ALLOW_UNSAFE_DURABILITY/,
  );
  assert.equal((await runCli(['doctor'], { cwd, env })).code, 1);
  const allowed = { ...env, FIRSTPROOF_ALLOW_UNSAFE_DURABILITY: 'true' };
  const server = await startServe([], { cwd, env: allowed });
  const { code, stderr } = await server.stop('SIGTERM');
  assert.equal(code, 0);
  assert.match(stderr, /synchronous_commit=off/);
  await database.drop();
});

test('migrate needs only the database, tells what it did, and refuses one that is ahead or changed', async () => {
  const database = await createEmptyDatabase();
  const run = (...words: string[]) =>
    runCli(['migrate', ...words], { cwd, env: { DATABASE_URL: database.url } });
  const before = await run('--status');
  assert.equal(before.code, 1);
  assert.match(before.stdout, /^control +behind +0001_ground/m);
  const first = await run('--json');
  assert.equal(first.code, 0, first.stderr);
  const [done] = JSON.parse(first.stdout) as { database: string; applied: string[] }[];
  assert.equal(done?.database, 'control');
  assert.equal(done?.applied[0], '0001_ground');
  assert.match((await run()).stdout, /^control +-$/m);
  assert.equal((await run('--status')).code, 0);

  const sql = postgres(database.url, { max: 1 });
  await sql`insert into schema_migrations (number, name, checksum) values (9999, 'later', 'x')`;
  const ahead = await run();
  assert.equal(ahead.code, 1);
  assert.match(ahead.stderr, /is at migration 9999, which this version.*Run the newer version/);
  await sql`delete from schema_migrations where number = 9999`;
  await sql`update schema_migrations set checksum = 'other' where number = 1`;
  const changed = await run();
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /another text of migration 0001_ground\. Restore the file/);
  await sql.end();
  await database.drop();
});

test('the embedded PostgreSQL serves production too', async () => {
  const folder = makeFolder();
  const server = await startServe([], { cwd: folder, env: settings });
  const list = await runCli(['tenant', 'list', '--json'], { cwd: folder, env: settings });
  const [tenant] = JSON.parse(list.stdout) as { slug: string; issuer: string }[];
  assert.deepEqual([tenant?.slug, tenant?.issuer], ['default', settings.FIRSTPROOF_PUBLIC_URL]);
  assert.equal((await fetch(`${server.url}/dev/messages`)).status, 404);
  assert.equal((await server.stop('SIGTERM')).code, 0);
  const development = await runCli(['serve', '--development'], { cwd: folder });
  assert.equal(development.code, 2);
  assert.match(development.stderr, /made in production mode/);
  rmSync(folder, { recursive: true, force: true });
});

test('wrong usage ends with 2, help with 0', async () => {
  assert.equal((await runCli([], { cwd })).code, 2);
  assert.equal((await runCli(['tenant', 'make', 'x'], { cwd })).code, 2);
  assert.equal((await runCli(['key', 'create', '--name', 'x'], { cwd, env: settings })).code, 2);
  const help = await runCli(['tenant', 'set', '--help'], { cwd });
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^ {2}code\.lifetime_seconds=<30-600>$/m);
});
