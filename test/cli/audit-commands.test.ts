import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newCaller } from '../race/started.ts';
import { createBesideServer } from './beside-server.ts';
import type { Ran } from './run-cli.ts';

const beside = await createBesideServer({ start: new Date() });
const { app } = beside;
after(beside.close);
const cli = (words: readonly string[]): Promise<Ran> => beside.cli(['audit', ...words]);

interface Line {
  position: number | string;
  id: string;
  action: string;
  hash: string;
}

test('S49 the trail leaves as JSON Lines, from a moment on if wanted; a verification gives an anchor, and names what was touched', async () => {
  const person = await app.signIn({ email: 'trail@example.com' }, {}, { from: newCaller() });
  const code = await app.code('trail@example.com');
  const exported = await cli(['export', '--tenant', 'default']);
  assert.equal(exported.code, 0, exported.stderr);
  const lines = exported.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const actions = lines.map(({ action }) => action);
  for (const action of ['verification.sent', 'user.created', 'user.signed_in']) {
    assert.ok(actions.includes(action), action);
  }
  const positions = lines.map(({ position }) => Number(position));
  assert.deepEqual(
    positions,
    Array.from(positions, (_, index) => (positions[0] ?? 0) + index),
    'no gaps',
  );
  assert.ok(!exported.stdout.includes(code) && !exported.stdout.includes(person.body.access_token as string));
  const later = await cli(['export', '--tenant', 'default', '--since', '2999-01-01']);
  assert.deepEqual([later.code, later.stdout], [0, '']);

  const whole = await cli(['verify', '--tenant', 'default', '--json']);
  assert.equal(whole.code, 0, whole.stderr);
  const [{ head, broken }] = JSON.parse(whole.stdout) as [{ head: string; broken: null }];
  assert.equal(broken, null);
  assert.equal(head, `${positions.at(-1)}:${lines.at(-1)?.hash}`);
  assert.equal((await cli(['verify', '--tenant', 'default', '--anchor', head])).code, 0);

  const { sql } = app.databases.control;
  await sql`update audit_events set actor = 'user:nobody' where id = ${lines[0]?.id ?? ''}`;
  const touched = await cli(['verify', '--tenant', 'default']);
  assert.equal(touched.code, 1);
  assert.match(
    touched.stdout,
    new RegExp(`BROKEN default: position ${positions[0]}, event ${lines[0]?.id}: .*not what it was`),
  );
  for (const words of [
    ['verify', '--anchor', head],
    ['verify', '--tenant', 'default', '--anchor', 'now'],
    ['export', '--tenant', 'default', '--since', 'yesterday'],
  ]) {
    const wrong = await cli(words);
    assert.equal(wrong.code, 2, words.join(' '));
    assert.notEqual(wrong.stderr, '');
  }
  assert.equal((await cli(['export', '--tenant', 'nobody'])).code, 1);
});
