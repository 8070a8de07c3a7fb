import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createReadableLog } from '../../src/cli/log.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { wrongCode } from '../wrong-code.ts';

let app: TestApp;
const lines: string[] = [];
const answers: string[] = [];
/** What nobody may find at rest, by what it is. */
const secrets = new Map<string, string>();

before(async () => {
  app = await createTestApp({
    env: { FIRSTPROOF_LOG_LEVEL: 'debug' },
    // Ten digits: a code found in a dump is then no coincidence.
    tenants: Object.fromEntries(['default', 'us', 'uz'].map((slug) => [slug, { code: { length: 10 } }])),
    log: createReadableLog('debug', (line) => lines.push(line)),
  });
});
after(() => app.close());

const keep = (name: string, value: string | undefined): void => {
  if (value !== undefined) secrets.set(`${name} ${secrets.size}`, value);
};

/** Goes through every flow and remembers each secret that was handed out on the way. */
async function runFlows(): Promise<void> {
  keep('api key', app.apiKey);
  for (const address of [
    { phone: '+14155551101' },
    { phone: '+998901111101' },
    { email: 'rest@example.com' },
  ]) {
    const to = Object.values(address)[0] as string;
    for (const style of ['jwt', 'opaque']) {
      const newest = await app.newestMessage(to);
      const sent = await app.post('/api/v1/auth/send-verification', address);
      const { verification_id } = sent.body;
      const code = await app.code(to, { after: newest });
      keep('handle', verification_id);
      keep('code', code);
      answers.push(JSON.stringify({ ...sent.body, verification_id: '' }));
      keep('wrong code', wrongCode(code));
      const wrong = await app.post('/api/v1/auth/verify-code', { verification_id, code: wrongCode(code) });
      answers.push(JSON.stringify(wrong.body));
      app.clock.advance(61);
      await app.post('/api/v1/auth/resend-otp', { verification_id });
      const signedIn = await app.post('/api/v1/auth/verify-code', { verification_id, code, style });
      keep('access token', signedIn.body.access_token);
      keep('session token', signedIn.body.session_token);
      keep('refresh token', signedIn.body.refresh_token);
      const token = signedIn.body.access_token as string;
      await app.get('/api/v1/auth/session', { token });
      await app.post('/api/v1/introspect', { token }, { headers: { 'x-api-key': app.apiKey } });
      if (style === 'jwt') {
        const { refresh_token } = signedIn.body;
        const next = await app.post('/api/v1/auth/refresh', { refresh_token });
        keep('access token', next.body.access_token);
        keep('refresh token', next.body.refresh_token);
        app.clock.advance(11);
        await app.post('/api/v1/auth/refresh', { refresh_token });
      } else {
        await app.post('/api/v1/auth/logout', { scope: 'all' }, { token });
      }
    }
  }
  // One more code is left waiting, unused, and a fault and a refusal happen around it.
  const sent = await app.post('/api/v1/auth/send-verification', { phone: '+14155551102' });
  const code = await app.code('+14155551102');
  keep('waiting handle', sent.body.verification_id);
  keep('waiting code', code);
  const { sql } = app.databases.of('us');
  await sql`alter table sessions rename column amr to broken`;
  const fault = await app.post('/api/v1/auth/verify-code', {
    verification_id: sent.body.verification_id,
    code,
  });
  assert.equal(fault.status, 500);
  assert.deepEqual(fault.body, {
    success: false,
    statusCode: 500,
    error: 'INTERNAL',
    message: 'Something went wrong on our side. Try again in a moment.',
  });
  await sql`alter table sessions rename column broken to amr`;
  await app.app.worker.sweep();
}

/** Every row of every table of every database as text; byte strings as hexadecimal. */
async function dump(): Promise<string[]> {
  const rows: string[] = [];
  for (const { name, sql } of app.databases.all()) {
    const tables = await sql`select tablename from pg_tables where schemaname = 'public' order by 1`;
    for (const { tablename } of tables) {
      const content = await sql`select t::text as row from ${sql(tablename as string)} t`;
      for (const { row } of content) rows.push(`${name}.${tablename}: ${row}`);
    }
  }
  return rows;
}

/** The forms in which a secret could lie about without being protected. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
  // An unkeyed hash of a short code is the code.
  for (const algorithm of ['md5', 'sha1', 'sha256']) {
    const digest = createHash(algorithm).update(secret).digest();
    forms.push(digest.toString('hex'), digest.toString('base64').slice(0, 20));
  }
  const raw = Buffer.from(secret.replace(/^(fp[rs]_|fp_sk_)/, ''), 'base64url');
  if (raw.length >= 16 && !secret.includes('.')) forms.push(raw.toString('hex'));
  // The signed part of a token by itself, and a token's own bytes.
  const [, payload, signature] = secret.split('.');
  if (payload && signature)
    forms.push(payload, signature, Buffer.from(signature, 'base64url').toString('hex'));
  return forms;
}

function findSecrets(texts: readonly string[]): string[] {
  const whole = texts.join('\n').toLowerCase();
  const found: string[] = [];
  for (const [name, secret] of secrets) {
    for (const form of formsOf(secret)) {
      if (whole.includes(form.toLowerCase())) found.push(`${name} as ${form.slice(0, 40)}`);
    }
  }
  return found;
}

test('no code, token, key or handle lies in any database or log line, in any plain form', async () => {
  await runFlows();
  assert.ok(secrets.size > 25, [...secrets.keys()].join());
  const rows = await dump();
  assert.ok(rows.length > 80, `${rows.length} rows`);
  assert.deepEqual(findSecrets(rows), []);
  assert.ok(
    lines.some((line) => line.includes('request')),
    'requests were logged',
  );
  assert.ok(
    lines.some((line) => line.includes('a request failed')),
    'the fault was logged',
  );
  assert.deepEqual(findSecrets(lines), []);
  assert.deepEqual(findSecrets(answers), []);
});

test('addresses and names of people are not in the log', () => {
  const whole = lines.join('\n');
  for (const personal of ['4155551101', '901111101', 'rest@example.com', '127.0.0.1']) {
    assert.ok(!whole.includes(personal), personal);
  }
});

test('the payload of a message is wiped once it has been sent', async () => {
  for (const { sql } of app.databases.all()) {
    const rows = await sql`select state, payload_sealed is null as wiped from messages`;
    for (const row of rows) assert.deepEqual({ ...row }, { state: 'sent', wiped: true });
  }
});

test('this search finds what it looks for', async () => {
  const { sql } = app.databases.control;
  const code = secrets.get([...secrets.keys()].find((name) => name.startsWith('waiting code')) ?? '') ?? '';
  for (const planted of [
    sql`${code}`,
    sql`encode(${Buffer.from(code)}::bytea, 'base64')`,
    sql`(${Buffer.from(code)}::bytea)::text`,
    sql`encode(sha256(${Buffer.from(code)}::bytea), 'hex')`,
  ]) {
    await sql`update tenants set name = ${planted} where slug = 'us'`;
    assert.ok(findSecrets(await dump()).some((name) => name.startsWith('waiting code')));
  }
});
