import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder, startServe } from './run-cli.ts';

test('the first sign-in of the README works as it is written', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const lines = /## Sign somebody in[^]*?```sh\n([^]*?)```/.exec(readme)?.[1]?.trim().split('\n') ?? [];
  assert.equal(lines.length, 5);
  const cwd = makeFolder();
  const server = await startServe(['--development'], { cwd });
  // As fast as they can be pasted.
  const script = lines.join('\necho\n').replaceAll('localhost:3000', new URL(server.url).host);
  const ran = spawnSync('bash', ['-eu', '-c', script], { encoding: 'utf8', timeout: 20_000 });
  await server.stop('SIGTERM');
  rmSync(cwd, { recursive: true, force: true });
  const answers = ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(answers.length, 3, ran.stdout + ran.stderr);
  assert.equal(answers[0]?.['code_length'], 6);
  assert.equal(answers[1]?.['active'], true);
  assert.equal(answers[2]?.['message'], 'Logged out successfully. User is now inactive.');
});
