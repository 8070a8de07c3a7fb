import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import postgres from 'postgres';
import { createEmptyDatabase, makeFolder, runCli } from './run-cli.ts';

const cwd = makeFolder();
let answer: { status: number; body: string } = { status: 200, body: '{"id":"m-1"}' };
const asked: { text: string }[] = [];
const gateway = createServer((request, response) => {
  let text = '';
  request.on('data', (part: Buffer) => (text += part.toString()));
  request.on('end', () => {
    asked.push(JSON.parse(text) as { text: string });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
});
after(() => {
  gateway.close();
  rmSync(cwd, { recursive: true, force: true });
});

test('an operator sends a test message, and is told in plain words what the provider answered', async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/`;
  const file = join(cwd, 'acme.json');
  const send = { method: 'POST', url, json: { to: '{{to}}', text: '{{text}}', key: '${env:ACME_KEY}' } };
  writeFileSync(file, JSON.stringify({ name: 'acme', send, success: {}, message_id: { at: '/id' } }));
  const database = await createEmptyDatabase();
  const env = {
    FIRSTPROOF_PUBLIC_URL: 'https://auth.school.uz',
    FIRSTPROOF_SECRET: 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq',
    DATABASE_URL: database.url,
    FIRSTPROOF_SMS_GATEWAY: file,
    ACME_KEY: 'a-secret-of-acme',
  };
  const run = (...words: string[]) => runCli(words, { cwd, env });
  assert.equal((await run('migrate')).code, 0);
  assert.equal((await run('tenant', 'create', 'default')).code, 0);

  const taken = await run('provider', 'test', 'sms', '+1 415 555 0150');
  assert.equal(taken.code, 0, taken.stderr);
  assert.match(taken.stdout, /^acme took it; its id there: m-1, after \d+\.\d s\.$/m);
  assert.match(taken.stdout, /opens nothing/);
  assert.match(taken.stdout, /country is not open/, 'codes would not go there yet, and that is said');
  const code = /^ {2}(\d{6}) is your/m.exec(taken.stdout)?.[1];
  assert.ok(code && asked[0]?.text.startsWith(code));

  answer = { status: 401, body: '{"error":"wrong key a-secret-of-acme"}' };
  const refused = await run('provider', 'test', 'sms', '+14155550150');
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /^acme refused it for good \(acme http 401\), after/m);
  assert.match(refused.stdout, /does not accept the credentials/);
  assert.doesNotMatch(refused.stdout + refused.stderr, /a-secret-of-acme/);

  const none = await run('provider', 'test', 'email', 'ada@school.uz');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /No provider carries email for "default"/);

  const sql = postgres(database.url, { max: 1 });
  const events =
    await sql`select subject, data from audit_events where action = 'provider.tested' order by id`;
  assert.deepEqual(
    events.map(({ subject, data }) => [subject, data.state]),
    [
      ['provider:acme', 'sent'],
      ['provider:acme', 'refused'],
    ],
  );
  const [row] = await sql`select count(*)::int as count from verifications`;
  assert.equal(row?.count, 0, 'there is nothing that the code could open');
  await sql.end();
  await database.drop();
});
