import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { acquireOwnerLock } from './owner-lock.ts';
import { processSpace, startOfProcess } from './running-process.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'fp-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function writeOwner(owner: { pid: number; started: string; space: string }): string {
  const file = path.join(directory, 'postgres-owner.7');
  writeFileSync(file, JSON.stringify(owner));
  return file;
}

test('a lock refuses the next taker, and is free once released', async () => {
  const first = await acquireOwnerLock(directory);
  assert.ok(first.ok);
  assert.deepEqual(await acquireOwnerLock(directory), { ok: false, pid: process.pid });
  first.release();
  const second = await acquireOwnerLock(directory);
  assert.ok(second.ok);
  second.release();
  assert.deepEqual(readdirSync(directory), ['postgres-owner.2']);
});

test('a stale lock is won by exactly one of many processes', { timeout: 20_000 }, async () => {
  // This process runs, but started at another time than the lock says: the pid was given out again.
  writeOwner({ pid: process.pid, started: '1', space: processSpace() });
  const script = `
    import { acquireOwnerLock } from ${JSON.stringify(new URL('./owner-lock.ts', import.meta.url))};
    process.stdin.once('data', async () => {
      const lock = await acquireOwnerLock(${JSON.stringify(directory)});
      console.log(lock.ok ? 'won' : 'lost');
    });
    console.log('waiting');`;
  const takers = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  try {
    await Promise.all(takers.map((taker) => once(taker.stdout, 'data')));
    const answers = takers.map(async (taker) => String((await once(taker.stdout, 'data'))[0]).trim());
    for (const taker of takers) taker.stdin.write('go\n');
    const outcomes = (await Promise.all(answers)).sort();
    assert.deepEqual(outcomes, ['lost', 'lost', 'lost', 'lost', 'lost', 'won']);
  } finally {
    for (const taker of takers) taker.kill('SIGKILL');
  }
});

test('an owner in another container counts as alive while its lock moves', { timeout: 20_000 }, async () => {
  const started = startOfProcess(process.pid) ?? '';
  const file = writeOwner({ pid: process.pid, started, space: 'another container' });
  const heartbeat = setInterval(() => utimesSync(file, new Date(), new Date()), 100);
  assert.deepEqual(await acquireOwnerLock(directory), { ok: false, pid: process.pid });
  clearInterval(heartbeat);

  utimesSync(file, new Date(0), new Date(0));
  const lock = await acquireOwnerLock(directory);
  assert.ok(lock.ok);
  lock.release();
});
