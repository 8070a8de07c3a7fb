import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectToRunningEmbedded } from '../../src/db/embedded/connect-to-running.ts';
import { makeFolder, type Ran, runCli, type Serving, startServe } from './run-cli.ts';

// One folder and one server for the whole file, as somebody tries the product out: the tests follow each other.
const cwd = makeFolder();
const data = join(cwd, 'data');
const cli = (...words: string[]): Promise<Ran> => runCli(words, { cwd });
let server: Serving;

before(async () => {
  server = await startServe(['--development'], { cwd });
});

after(async () => {
  await server.stop('SIGTERM');
  const left = connectToRunningEmbedded(data)?.pid;
  if (left !== undefined) process.kill(left, 'SIGINT');
  rmSync(cwd, { recursive: true, force: true });
});

async function post(path: string, body: unknown, key?: string): Promise<{ status: number; body: unknown }> {
  const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }) };
  const answer = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

test('the banner says where everything is, through a pipe too, and standard error stays quiet', () => {
  const { stdout, stderr } = server.output();
  assert.match(stdout, /development mode · ready in/);
  assert.match(stdout, /API key +fp_sk_[\w-]{43}\n/);
  assert.match(stdout, /curl .*\/api\/v1\/auth\/send-verification/);
  assert.equal(stderr, '');
});

test('a tenant is made, changed and shown beside the running server, which knows it at once', async () => {
  const made = await cli('tenant', 'create', 'school', '--name', 'School', '--country', 'UZ');
  assert.deepEqual(made, { code: 0, stdout: 'Made the tenant "school".\n', stderr: '' });

  const set = await cli('tenant', 'set', 'school', 'code.length=8', 'name=A school');
  assert.equal(set.code, 0);
  assert.match(set.stdout, /^code\.length +\(default\) +8$/m);
  assert.match(set.stdout, /^name +School +A school$/m);

  const sent = await post('/api/v1/auth/send-verification', { phone: '90 123 45 67', tenant: 'school' });
  assert.equal(sent.status, 200);
  assert.equal((sent.body as { code_length: number }).code_length, 8);

  const shown = await cli('tenant', 'show', 'school', '--json');
  const tenant = JSON.parse(shown.stdout) as { issuer: string; audience: string; settings: unknown };
  assert.match(tenant.issuer, /\/t\/school$/);
  assert.equal(tenant.audience, 'school');
  assert.deepEqual(tenant.settings, { default_country: 'UZ', code: { length: 8 } });

  const branded = await cli(
    'tenant',
    'set',
    'school',
    'branding.colours.primary=#4b3fa7',
    'branding.support_address=help@school.example',
    'branding.messages.sign_in_code.en.subject={{code}} opens {{tenant}}',
  );
  assert.equal(branded.code, 0, branded.stderr);
  assert.match((await cli('tenant', 'show', 'school')).stdout, /^branding\.colours\.primary +#4b3fa7$/m);
  await post('/api/v1/auth/send-verification', { email: 'branded@example.net', tenant: 'school' });
  const inbox = await fetch(`${server.url}/dev/messages?to=branded%40example.net&wait=5`);
  const [letter] = (await inbox.json()) as { subject: string; html: string }[];
  assert.match(letter?.subject ?? '', /^\d{8} opens A school$/);
  assert.match(letter?.html ?? '', /#4b3fa7[^]*help@school\.example/);
  const refused = await cli('tenant', 'set', 'school', 'branding.logo_url=http://cdn.example/x.png');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /branding\.logo_url must be an https address/);
});

test('what cannot be is refused with the remedy, and changes nothing', async () => {
  const taken = await cli('tenant', 'create', 'school');
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /already.*firstproof tenant set school/);
  const prefix = await cli('tenant', 'create', 'uz2', '--market', '--prefix', '+998');
  assert.equal(prefix.code, 2);
  assert.match(prefix.stderr, /\+998 belongs to the tenant "uz"/);
  const database = await cli('tenant', 'create', 'kz', '--market', '--prefix', '+7', '--database', 'kz');
  assert.equal(database.code, 1);
  assert.match(database.stderr, /kz=postgres:\/\/… to FIRSTPROOF_DATABASES/);
  const long = await cli('tenant', 'set', 'school', 'code.lifetime_seconds=601');
  assert.equal(long.code, 2);
  assert.match(long.stderr, /code\.lifetime_seconds must be <= 600/);
  const { stdout } = await cli('tenant', 'list', '--json');
  const slugs = (JSON.parse(stdout) as { slug: string }[]).map((tenant) => tenant.slug);
  assert.deepEqual(slugs, ['default', 'school', 'us', 'uz']);
});

test('an API key alone is on standard output, works at once, and no longer after it is revoked', async () => {
  const made = await cli('key', 'create', '--name', 'backend', '--scope', 'introspect', '--tenant', 'us');
  const key = made.stdout.trim();
  assert.match(key, /^fp_sk_[\w-]{43}$/);
  assert.equal((await post('/api/v1/introspect', { token: 'x' }, key)).status, 200);
  assert.equal((await post('/api/v1/revoke', { token: 'x' }, key)).status, 403);

  const list = JSON.parse((await cli('key', 'list', '--json')).stdout) as { id: string; name: string }[];
  const { id } = list.find((entry) => entry.name === 'backend') ?? { id: '' };
  assert.equal(JSON.stringify(list).includes(key), false);
  assert.equal((await cli('key', 'revoke', id)).code, 0);
  assert.equal((await cli('key', 'revoke', id)).code, 1);
  assert.equal((await cli('key', 'revoke', 'backend')).code, 2);
  const deadline = performance.now() + 8000;
  let status = 200;
  while (status === 200 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    ({ status } = await post('/api/v1/introspect', { token: 'x' }, key));
  }
  assert.equal(status, 401);
});

test('an emergency rotation publishes another key at once', async () => {
  const kids = async (): Promise<string[]> => {
    const answer = await fetch(`${server.url}/t/us/.well-known/jwks.json`);
    return ((await answer.json()) as { keys: { kid: string }[] }).keys.map((key) => key.kid).sort();
  };
  const early = await cli('signing-key', 'rotate', '--tenant', 'us');
  assert.equal(early.code, 1);
  assert.match(early.stdout, /five minutes/);
  const before = await kids();
  assert.equal((await cli('signing-key', 'rotate', '--tenant', 'us', '--emergency')).code, 0);
  for (let tries = 0; tries < 50; tries++) {
    if ((await kids()).join() !== before.join()) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const now = await kids();
  assert.equal(now.length, 2);
  assert.equal(now.filter((kid) => before.includes(kid)).length, 1);
});

test('the doctor finds nothing wrong, and says in JSON the same as in words', async () => {
  const words = await cli('doctor');
  assert.equal(words.code, 0, words.stdout);
  assert.match(words.stdout, /^ok {4}database us: migrations up to date/m);
  const findings = JSON.parse((await cli('doctor', '--json')).stdout) as { level: string }[];
  assert.equal(findings.length, words.stdout.match(/^(ok|warn|FAIL) /gm)?.length);
});

test('a second server on the same folder refuses at once, without a stack', async () => {
  const timed = async (...words: string[]) => {
    const began = performance.now();
    return { ...(await cli(...words)), milliseconds: performance.now() - began };
  };
  const version = await timed('--version');
  const second = await timed('serve', '--development');
  // At once: within the second (S19) that starting the program does not take by itself on a busy machine.
  assert.ok(second.milliseconds < 3 * version.milliseconds + 1000, `${second.milliseconds} ms`);
  assert.equal(second.code, 1);
  assert.match(
    second.stderr,
    /^The data directory .* is in use by the server with process id \d+\. Stop [^\n]*\n$/,
  );
});

test('a taken port is told, and nothing is left running', async () => {
  const other = join(cwd, 'other');
  const { port } = new URL(server.url);
  const env = { PORT: port, HOST: '127.0.0.1', FIRSTPROOF_DATA_DIR: other };
  const second = await runCli(['serve', '--development'], { cwd, env });
  assert.deepEqual([second.code, second.stdout], [1, '']);
  assert.match(second.stderr, new RegExp(`^Port ${port} is taken\\. [^\\n]*\\n$`));
  assert.equal(connectToRunningEmbedded(other), undefined);
});

test('production does not touch a folder that development made', async () => {
  const env = {
    FIRSTPROOF_MODE: 'production',
    FIRSTPROOF_PUBLIC_URL: 'https://auth.school.uz',
    FIRSTPROOF_SECRET: 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq',
  };
  await server.stop('SIGTERM');
  const refused = await runCli(['serve'], { cwd, env });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /made in development mode.*FIRSTPROOF_DATA_DIR.*--development/);
});

test('SIGTERM stopped the database too; a command starts it for itself and stops it again', async () => {
  assert.equal(connectToRunningEmbedded(data), undefined);
  const list = await cli('tenant', 'list');
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, /^school +A school/m);
  assert.equal(connectToRunningEmbedded(data), undefined);
});

test('after kill -9 a command works on what was left, and the next server takes it over with nothing lost', async () => {
  server = await startServe(['--development'], { cwd });
  assert.equal((await cli('tenant', 'create', 'club')).code, 0);
  await server.stop('SIGKILL');
  const left = connectToRunningEmbedded(data)?.pid;
  assert.ok(left);
  assert.match((await cli('tenant', 'list')).stdout, /^club /m);
  server = await startServe(['--development'], { cwd });
  assert.equal(connectToRunningEmbedded(data)?.pid, left);
  assert.match((await cli('tenant', 'list')).stdout, /^club /m);
  const stopped = await server.stop('SIGINT');
  assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
  assert.equal(connectToRunningEmbedded(data), undefined);
});

test('a command in an empty folder makes nothing and says what to do', async () => {
  const empty = makeFolder();
  const list = await runCli(['tenant', 'list', '--development'], { cwd: empty });
  assert.equal(list.code, 1);
  assert.match(list.stderr, /There is no database in \.\/data yet\..*firstproof migrate/);
  assert.equal(existsSync(join(empty, 'data')), false);
  rmSync(empty, { recursive: true });
});
