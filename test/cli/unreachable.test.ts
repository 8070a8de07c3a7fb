import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import postgres from 'postgres';
import { createEmptyDatabase, makeFolder, runCli, startServe } from './run-cli.ts';

const cwd = makeFolder();
let answer = '{"code":"STOP"}';
let asked = 0;
const gateway = createServer((request, response) => {
  request.resume().on('end', () => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
});
after(() => {
  gateway.close();
  rmSync(cwd, { recursive: true, force: true });
});

test('an operator sees whom a provider calls out of reach, and lets it be tried again beside the running server', async (context) => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const file = join(cwd, 'acme.json');
  const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/`;
  const recipe = {
    ...{ name: 'acme', send: { method: 'POST', url, json: { to: '{{to}}' } }, message_id: { at: '/id' } },
    ...{ success: { when: { at: '/id' } }, error_code: { at: '/code' }, errors: { STOP: 'suppress' } },
  };
  writeFileSync(file, JSON.stringify(recipe));
  const database = await createEmptyDatabase();
  const sql = postgres(database.url, { max: 1 });
  context.after(async () => {
    await sql.end();
    await database.drop();
  });
  const env = {
    FIRSTPROOF_PUBLIC_URL: 'https://auth.school.uz',
    FIRSTPROOF_SECRET: 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq',
    DATABASE_URL: database.url,
    FIRSTPROOF_SMS_GATEWAY: file,
  };
  const run = (...words: string[]) => runCli(words, { cwd, env });
  assert.equal((await run('migrate')).code, 0);
  assert.equal((await run('tenant', 'create', 'default')).code, 0);
  assert.equal((await run('tenant', 'set', 'default', 'channels=sms', 'tolls.countries=US')).code, 0);
  const server = await startServe([], { cwd, env });
  const send = async (): Promise<string> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ phone: '+14155550150' });
    const sent = await fetch(`${server.url}/api/v1/auth/send-verification`, {
      method: 'POST',
      headers,
      body,
    });
    const { verification_id: handle } = (await sent.json()) as { verification_id: string };
    for (let tries = 0; tries < 500; tries++) {
      const status = await fetch(`${server.url}/api/v1/auth/verifications/${handle}`);
      const { state } = (await status.json()) as { state: string };
      if (!['queued', 'sending'].includes(state)) return state;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('no end');
  };
  const letAgain = () => sql`delete from address_budgets`;

  assert.match((await run('delivery', 'unreachable')).stdout, /^Nobody is out of reach/);
  assert.equal(await send(), 'failed');
  answer = '{"id":"m-1"}';
  await letAgain();
  assert.equal(await send(), 'failed');
  assert.equal(asked, 1, 'not tried again');
  const listed = await run('delivery', 'unreachable');
  assert.match(listed.stdout, /\+14155550150 +default +sms +acme +acme STOP +\d{4}-/);
  assert.equal((await run('delivery', 'unreachable', '--forget')).code, 2);
  const [tenant] = await sql`select id from tenants where slug = 'default'`;
  await sql`insert into users (tenant_id, id, first_name, created_at, updated_at)
    values (${tenant?.['id']}, '0190b2f0-0000-7000-8000-000000000001', 'Ann', now(), now())`;
  await sql`insert into identities (tenant_id, kind, value, id, user_id, as_entered, created_at)
    values (${tenant?.['id']}, 'phone', '+14155550150', '0190b2f0-0000-7000-8000-000000000002',
      '0190b2f0-0000-7000-8000-000000000001', '+14155550150', now())`;
  const shown = await run('user', 'show', '+14155550150');
  assert.match(
    shown.stdout,
    /out of reach by sms \(acme STOP\).*delivery unreachable \+14155550150 --forget/,
    shown.stderr,
  );
  const told = await run('user', 'show', '+14155550150', '--json');
  assert.deepEqual(
    (JSON.parse(told.stdout).unreachable as { channel: string; error: string }[]).map(
      ({ channel, error }) => [channel, error],
    ),
    [['sms', 'acme STOP']],
  );

  const forgotten = await run('delivery', 'unreachable', '+1 415 555 0150', '--forget');
  assert.equal(forgotten.stdout, '+1 415 555 0150 is tried by sms again.\n', forgotten.stderr);
  assert.match((await run('delivery', 'unreachable', '+14155550150')).stdout, /not out of reach/);
  await letAgain();
  assert.equal(await send(), 'sent');
  const events =
    await sql`select subject, data from audit_events where action = 'delivery.unreachable_forgotten'`;
  assert.deepEqual(
    events.map(({ subject, data }) => [subject, data]),
    [['phone:+14155550150', { channel: 'sms', provider: 'acme' }]],
  );
  await server.stop('SIGTERM');
});
