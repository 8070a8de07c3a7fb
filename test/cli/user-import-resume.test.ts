import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { advanceImport, findUnfinishedImport } from '../../src/users/users.ts';
import { createImportApp, jsonLines, refusals } from './import-app.ts';

const { app, folder, env, cli, close, file, importInto, tenant, people } = await createImportApp();
after(close);

const PROGRAM = join(import.meta.dirname, '../../bin/firstproof.js');

test('somebody who signs up in the middle of a batch keeps the address; the row is refused, the batch goes in', async () => {
  await tenant('racing');
  const { id } = app.app.tenants.bySlug('racing') ?? {};
  assert.ok(id);
  const other = postgres(app.urls.get('control') ?? '', { max: 1, onnotice: () => {} });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let written = (): void => {};
  const ready = new Promise<void>((resolve) => {
    written = resolve;
  });
  const user = app.app.newId();
  const signUp = other.begin(async (sql) => {
    await sql`insert into users (tenant_id, id) values (${id}, ${user})`;
    await sql`insert into identities (tenant_id, kind, value, id, user_id, as_entered, created_at)
      values (${id}, 'email', 'raced@example.org', ${app.app.newId()}, ${user}, 'raced@example.org', now())`;
    written();
    await held;
  });
  await ready;
  const path = file(
    'race.jsonl',
    jsonLines([{ email: 'raced@example.org' }, { email: 'calm@example.org' }, { email: 'bad' }]),
  );
  const running = importInto('racing', path);
  await wait(300);
  release();
  await signUp;
  await other.end();
  const outcome = await running;
  assert.deepEqual([outcome.rows, outcome.imported, outcome.refused], [3, 1, 2]);
  assert.deepEqual(Object.keys(refusals(`${path}.refused.jsonl`)), ['1', '3']);
  assert.equal((await people('racing')).length, 2);
});

test('a killed import goes on where its last batch was committed: every row once, every refusal told once', async () => {
  await tenant('killed');
  const many = 30_000;
  const rows = Array.from({ length: many }, (_, index) =>
    index % 100 === 7
      ? { email: `broken ${index}` }
      : { email: `k${index}@example.org`, username: `k${index}` },
  );
  const path = file('many.jsonl', jsonLines(rows));
  const words = ['user', 'import', path, '--tenant', 'killed', '--json'];
  const done = async () => {
    const [row] = await app.databases.control.sql`
      select rows_done::int as rows from user_imports where finished_at is null`;
    return (row?.['rows'] ?? 0) as number;
  };
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'ignore',
  });
  while ((await done()) < 2000 && child.exitCode === null) await wait(5);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const reached = await done();
  assert.ok(reached >= 2000 && reached < many, `killed at ${reached}`);
  assert.equal((await people('killed')).length, reached - Math.round(reached / 100));

  const without = await cli(words);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /stopped after \d+ rows.*--resume/);
  const both = await Promise.all([cli([...words, '--resume']), cli([...words, '--resume'])]);
  const finished = both.filter(({ stdout }) => stdout !== '');
  assert.ok(finished.length >= 1, both[0]?.stderr);
  if (finished.length === 1) {
    // The other one found its mark moved, or nothing left to resume.
    const [loser] = both.filter(({ stdout }) => stdout === '');
    assert.match(loser?.stderr ?? '', /Another import of this file|No import of this file/);
  }
  const outcome = JSON.parse(finished[0]?.stdout ?? '{}') as {
    rows: number;
    imported: number;
    refused: number;
  };
  assert.deepEqual([outcome.rows, outcome.imported, outcome.refused], [many, 29_700, 300]);
  assert.equal((await people('killed')).length, 29_700);
  const again = await cli([...words, '--resume']);
  assert.match(again.stderr, /No import of this file was stopped/);
});

test('an import that is asked to stop finishes its batch, says so, and is resumed with its report intact', async () => {
  await tenant('stopped');
  const rows = Array.from({ length: 1500 }, (_, index) =>
    index % 500 === 3 ? { email: 'bad' } : { email: `s${index}@example.org` },
  );
  const path = file('stop.jsonl', jsonLines(rows));
  const stopped = await importInto('stopped', path, {}, { stopped: () => true });
  assert.deepEqual([stopped.rows, stopped.finished], [500, false]);
  const { sql, now } = app.databases.control;
  const tenantId = app.app.tenants.bySlug('stopped')?.id ?? '';
  const hash = createHash('sha256').update(readFileSync(path)).digest();
  const stale = await findUnfinishedImport(sql, tenantId, hash);
  assert.equal(stale?.rowsDone, 500);
  await importInto('stopped', path, { resume: true }, { stopped: () => true });
  const moved = { ...stale, rowsDone: 1500, finished: true };
  assert.equal(
    await advanceImport(sql, tenantId, stale, moved, now()),
    false,
    'a stale mark may not be moved',
  );
  // What a killed batch wrote and never committed.
  writeFileSync(`${path}.refused.jsonl`, '{"line":1004,"issues":[]}\n', { flag: 'a' });
  const resumed = await importInto('stopped', path, { resume: true });
  assert.deepEqual(
    [resumed.rows, resumed.imported, resumed.refused, resumed.finished],
    [1500, 1497, 3, true],
  );
  assert.deepEqual(readFileSync(`${path}.refused.jsonl`, 'utf8').match(/"line":\d+/g), [
    '"line":4',
    '"line":504',
    '"line":1004',
  ]);
});
