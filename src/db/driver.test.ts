import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { testPostgres } from '../../test/postgres-for-tests.ts';
import { corrected } from './driver.ts';

/**
 * A process that asks on a reserved connection whose server process has just ended. `driver` is an expression for the
 * function that opens a pool.
 */
function askAfterTheEnd(driver: string): { status: number | null; output: string } {
  const script = `
    const connect = await (${driver});
    const sql = connect(${JSON.stringify(testPostgres().url)}, { max: 1, connect_timeout: 2, onnotice() {} });
    const reserved = await sql.reserve();
    const ask = (query) => query.then(() => 'answered', (error) => error.code ?? error.message);
    await ask(reserved\`select pg_terminate_backend(pg_backend_pid())\`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(await ask(reserved\`select 1\`));
    process.exit(0);`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 10_000,
    encoding: 'utf8',
  });
  return { status: child.status, output: child.stdout + child.stderr };
}

test('a query on a connection that died is refused, and the process lives', () => {
  const url = JSON.stringify(import.meta.resolve('./driver.ts'));
  const { status, output } = askAfterTheEnd(`import(${url}).then((driver) => driver.connectPostgres)`);
  assert.equal(status, 0, output);
  assert.equal(output.trim(), 'CONNECTION_CLOSED');
});

test('uncorrected, the driver ends the process there: when this fails, a new version needs no correction', () => {
  const url = JSON.stringify(import.meta.resolve('postgres'));
  const { status, output } = askAfterTheEnd(`import(${url}).then((driver) => driver.default)`);
  assert.notEqual(status, 0, output);
  assert.match(output, /reading 'write'/);
});

test('another version of the driver is not corrected blindly', () => {
  const file = new URL('connection.js', import.meta.resolve('postgres'));
  const source = readFileSync(file, 'utf8');
  assert.notEqual(corrected(source), source);
  assert.throws(
    () => corrected(source.replace('socket.write(chunk, fn)', 'socket?.write(chunk, fn)')),
    /look at both/,
  );
});
