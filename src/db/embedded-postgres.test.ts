import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { EmbeddedPostgresInUse, startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { startOfProcess } from './embedded/running-process.ts';

const bounded = { timeout: 30_000 };
const isRoot = process.geteuid?.() === 0;
const log = (): void => {};
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function makeFolder(mode = 0o755): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fp-test-'));
  chmodSync(folder, mode);
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'data');
}

async function start(dataDirectory: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDirectory, log });
  cleanups.push(() => server.stop());
  return server;
}

async function query(server: EmbeddedPostgres, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres({ ...server.connection('postgres'), max: 1, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Another process that owns the directory; resolves once its server has a table with one committed row. */
async function startElsewhere(dataDirectory: string): Promise<ChildProcess> {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(import.meta.resolve('./embedded-postgres.ts'))};
    import postgres from ${JSON.stringify(import.meta.resolve('postgres'))};
    const server = await startEmbeddedPostgres({
      dataDirectory: ${JSON.stringify(dataDirectory)}, log() {},
    });
    const sql = postgres({ ...server.connection('postgres'), max: 1, onnotice() {} });
    await sql\`create table if not exists kept (n int)\`;
    await sql\`insert into kept values (1)\`;
    console.log('committed');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(async () => {
    if (child.exitCode === null && child.signalCode === null) await killHard(child);
  });
  const [text] = await once(child.stdout, 'data');
  assert.equal(String(text).trim(), 'committed');
  return child;
}

async function killHard(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function pidFile(dataDirectory: string): string {
  return path.join(dataDirectory, 'postgres', 'postmaster.pid');
}

test('the first boot makes the cluster, the second finds it', bounded, async () => {
  const dataDirectory = makeFolder();
  const first = await startEmbeddedPostgres({ dataDirectory, log });
  assert.equal(first.firstBoot, true);
  await Promise.all([first.ensureDatabase('app'), first.ensureDatabase('app')]);
  await first.ensureDatabase('copy "quoted"', 'app');
  await first.stop();
  assert.equal(existsSync(pidFile(dataDirectory)), false);

  const second = await start(dataDirectory);
  assert.equal(second.firstBoot, false);
  assert.equal(second.adopted, false);
  const made = `select datname from pg_database where datname in ('app', 'copy "quoted"')`;
  assert.equal((await query(second, made)).length, 2);
  const sql = postgres(second.url('app'), { max: 1 });
  const [row] = await sql`select current_database() as name`;
  await sql.end();
  assert.equal(row?.['name'], 'app');
});

test('what is acknowledged is on the disk, and nobody enters without the password', bounded, async () => {
  const dataDirectory = makeFolder();
  const server = await startEmbeddedPostgres({
    dataDirectory,
    log,
    settings: { fsync: 'off', synchronous_commit: 'off', work_mem: '5MB' },
  });
  cleanups.push(() => server.stop());
  const rows = await query(
    server,
    `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')`,
  );
  assert.deepEqual(
    rows.map((row) => row['setting']),
    ['on', 'on', 'on'],
  );
  assert.equal((await query(server, 'show work_mem'))[0]?.['work_mem'], '5MB');
  assert.equal((await query(server, 'show timezone'))[0]?.['TimeZone'], 'UTC');
  assert.equal((await query(server, `select lower('ÄŻ') as small`))[0]?.['small'], 'äż');
  assert.equal(statSync(path.join(dataDirectory, 'postgres-password')).mode & 0o777, 0o600);
  for (const host of [server.connection('postgres').host, '127.0.0.1']) {
    const sql = postgres({ ...server.connection('postgres'), host, password: 'wrong', max: 1 });
    await assert.rejects(sql`select 1`.execute(), { code: '28P01' });
    await sql.end({ timeout: 1 });
  }
});

test('a second owner is refused within a second while the first works', bounded, async () => {
  const dataDirectory = makeFolder();
  const child = await startElsewhere(dataDirectory);
  const before = performance.now();
  await assert.rejects(startEmbeddedPostgres({ dataDirectory, log }), (error) => {
    assert.ok(error instanceof EmbeddedPostgresInUse);
    assert.equal(error.ownerPid, child.pid);
    assert.match(error.message, /FIRSTPROOF_DATA_DIR/);
    return true;
  });
  assert.ok(performance.now() - before < 1_000);
  await killHard(child);
  await start(dataDirectory);
});

test('of two starts at one instant exactly one wins', bounded, async () => {
  const dataDirectory = makeFolder();
  const results = await Promise.allSettled([1, 2, 3].map(() => start(dataDirectory)));
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
  for (const result of results) {
    if (result.status === 'rejected') assert.ok(result.reason instanceof EmbeddedPostgresInUse);
  }
});

test('after kill -9 of the owner its server is taken over with every row', bounded, async () => {
  const dataDirectory = makeFolder();
  const child = await startElsewhere(dataDirectory);
  const left = Number.parseInt(readFileSync(pidFile(dataDirectory), 'utf8'), 10);
  await killHard(child);
  const server = await start(dataDirectory);
  assert.equal(server.adopted, true);
  assert.equal(server.pid, left);
  assert.deepEqual(await query(server, 'select n from kept'), [{ n: 1 }]);
  await server.stop();
  assert.equal(startOfProcess(left), undefined, 'a server that was taken over is stopped like an own one');
});

test('a server left with other settings is started again, not taken over', bounded, async () => {
  const dataDirectory = makeFolder();
  await killHard(await startElsewhere(dataDirectory));
  const server = await startEmbeddedPostgres({ dataDirectory, log, settings: { work_mem: '6MB' } });
  cleanups.push(() => server.stop());
  assert.equal(server.adopted, false);
  assert.equal((await query(server, 'show work_mem'))[0]?.['work_mem'], '6MB');
  assert.deepEqual(await query(server, 'select n from kept'), [{ n: 1 }]);
});

test('after kill -9 of the owner and of PostgreSQL the next start recovers every row', bounded, async () => {
  const dataDirectory = makeFolder();
  const child = await startElsewhere(dataDirectory);
  process.kill(Number.parseInt(readFileSync(pidFile(dataDirectory), 'utf8'), 10), 'SIGKILL');
  await killHard(child);
  const server = await start(dataDirectory);
  assert.equal(server.adopted, false);
  assert.deepEqual(await query(server, 'select n from kept'), [{ n: 1 }]);
});

test('pids of a stale lock and pid file that strangers have now do not stop a start', bounded, async () => {
  const dataDirectory = makeFolder();
  const child = await startElsewhere(dataDirectory);
  const text = readFileSync(pidFile(dataDirectory), 'utf8');
  process.kill(Number.parseInt(text, 10), 'SIGKILL');
  await killHard(child);
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  cleanups.push(() => void stranger.kill('SIGKILL'));
  writeFileSync(pidFile(dataDirectory), text.replace(/^\d+/, String(stranger.pid)));
  const lockName = readdirSync(dataDirectory).find((name) => /owner\.\d/.test(name)) ?? '';
  const lock = path.join(dataDirectory, lockName);
  const owner = JSON.parse(readFileSync(lock, 'utf8')) as { pid: number };
  writeFileSync(lock, JSON.stringify({ ...owner, pid: stranger.pid }));

  const server = await start(dataDirectory);
  assert.deepEqual(await query(server, 'select n from kept'), [{ n: 1 }]);
  assert.equal(stranger.exitCode, null);
});

test('an initdb that was interrupted is done again', bounded, async () => {
  const dataDirectory = makeFolder();
  mkdirSync(path.join(dataDirectory, 'postgres.new-half', 'cluster', 'base'), { recursive: true });
  const server = await start(dataDirectory);
  assert.equal(server.firstBoot, true);
  assert.deepEqual(
    readdirSync(dataDirectory).filter((name) => name.startsWith('postgres.new')),
    [],
  );
});

test('an owner killed at any moment of its first boot does not stop the next', bounded, async () => {
  const dataDirectory = makeFolder();
  for (const moment of [150, 300, 450, 600]) {
    rmSync(dataDirectory, { recursive: true, force: true });
    void startElsewhere(dataDirectory).catch(() => {});
    await sleep(moment);
    await cleanups.pop()?.();
    const server = await startEmbeddedPostgres({ dataDirectory, log });
    assert.equal((await query(server, 'select 1 as one'))[0]?.['one'], 1);
    await server.stop();
  }
});

for (const adopted of [false, true]) {
  const name = adopted ? 'that was taken over' : 'of its own';
  test(`a killed PostgreSQL ${name} is started again on the same port`, bounded, async () => {
    const dataDirectory = makeFolder();
    if (adopted) await killHard(await startElsewhere(dataDirectory));
    const lines: string[] = [];
    const server = await startEmbeddedPostgres({
      dataDirectory,
      log: (level, message) => lines.push(`${level} ${message}`),
    });
    cleanups.push(() => server.stop());
    assert.equal(server.adopted, adopted);
    const { pid } = server;
    const { port } = server.connection('postgres');
    process.kill(pid, 'SIGKILL');
    while (server.pid === pid) await sleep(20);
    assert.equal(server.connection('postgres').port, port);
    assert.equal((await query(server, 'select 1 as one'))[0]?.['one'], 1);
    assert.ok(lines.some((line) => /^error .*ended unexpectedly/.test(line)));
    assert.ok(lines.some((line) => /^warn .*runs again/.test(line)));
  });
}

test('a data directory that no other user may enter serves as well', bounded, async () => {
  const dataDirectory = makeFolder(0o700);
  const server = await start(dataDirectory);
  await query(server, 'create table kept as select 1 as n');
  await server.stop();
  const again = await start(dataDirectory);
  assert.deepEqual(await query(again, 'select n from kept'), [{ n: 1 }]);
  if (isRoot) {
    const pointer = readFileSync(path.join(dataDirectory, 'postgres-location.json'), 'utf8');
    const { home } = JSON.parse(pointer) as { home: string };
    cleanups.unshift(() => rmSync(home, { recursive: true, force: true }));
    assert.notEqual(statSync(path.join(home, 'postgres')).uid, 0);
  } else {
    assert.ok(existsSync(path.join(dataDirectory, 'postgres', 'PG_VERSION')));
  }
});
