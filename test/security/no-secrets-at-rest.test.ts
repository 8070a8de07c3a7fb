import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createReadableLog } from '../../src/cli/log.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { startFakeBotApi } from '../telegram/fake-bot-api.ts';
import { wrongCode } from '../wrong-code.ts';

let app: TestApp;
const lines: string[] = [];
const answers: string[] = [];
/** What nobody may find at rest, by what it is. */
const secrets = new Map<string, string>();

let telegram: Awaited<ReturnType<typeof startFakeBotApi>>;
before(async () => {
  telegram = await startFakeBotApi();
  app = await createTestApp({
    env: { FIRSTPROOF_LOG_LEVEL: 'debug', TELEGRAM_API_ROOT: telegram.url },
    // Ten digits: a code found in a dump is then no coincidence.
    tenants: Object.fromEntries(['default', 'us', 'uz'].map((slug) => [slug, { code: { length: 10 } }])),
    log: createReadableLog('debug', (line) => lines.push(line)),
  });
});
after(async () => {
  await app.close();
  await telegram.close();
});

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
  await runPasswordFlows();
  await runOtherFlows();
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

const V1 = '/api/v1/auth';

/** Registration, sign-in, recovery: passwords right and wrong, the reset token, keys sent again. */
async function runPasswordFlows(): Promise<void> {
  const email = 'pass@example.com';
  const [password, wrong, next, never] = [
    'violet-Harbour-4217',
    'amber-Lantern-7734',
    'cobalt-Meadow-9051',
    'umber-Thicket-3388',
  ];
  for (const one of [password, wrong, next, never]) keep('password', one);
  await app.post(`${V1}/register`, { email: 'never@example.com', password: never });
  const headers = { 'idempotency-key': 'a-key-that-is-kept-nowhere-0123456789' };
  keep('idempotency key', headers['idempotency-key']);
  const registered = await app.post(`${V1}/register`, { email, password }, { headers });
  await app.post(`${V1}/register`, { email, password }, { headers });
  keep('handle', registered.body.verification_id);
  const code = await app.code(email);
  keep('code', code);
  const proof = { verification_id: registered.body.verification_id, code };
  keepSignIn((await app.post(`${V1}/verify-code`, proof, { headers })).body);
  await app.post(`${V1}/login`, { email, password: wrong });
  keepSignIn((await app.post(`${V1}/login`, { email, password }, { headers })).body);
  app.clock.advance(61);
  const newest = await app.newestMessage(email);
  const forgotten = await app.post(`${V1}/forgot-password`, { email });
  keep('handle', forgotten.body.verification_id);
  const recovery = await app.code(email, { after: newest });
  keep('code', recovery);
  const granted = await app.post(`${V1}/verify-code`, {
    verification_id: forgotten.body.verification_id,
    code: recovery,
  });
  const { reset_token: token } = granted.body;
  keep('reset token', token);
  const reset = await app.post(`${V1}/reset-password`, { new_password: next }, { token });
  assert.equal(reset.status, 200);
  keepSignIn(reset.body);
  const before = await app.newestMessage(email);
  const own = { token: reset.body.access_token as string };
  const stepUp = await app.post(`${V1}/step-up`, { method: 'password', password: next }, own);
  assert.ok(stepUp.status < 500);
  await app.app.worker.dispatch();
  const { body: letters } = await app.get(`/dev/messages?to=${encodeURIComponent(email)}`);
  const texts = (letters as { text: string | null }[]).map(({ text }) => text ?? '').join(' ');
  for (const [, secret] of texts.matchAll(/\/not-me\/([\w-]+)/g)) keep('notice link', secret);
  assert.ok(before);
}

function keepSignIn(body: Record<string, unknown>): void {
  keep('access token', body['access_token'] as string);
  keep('refresh token', body['refresh_token'] as string);
  const session = body['session'] as Record<string, string> | undefined;
  keep('device token', session?.['device_token']);
  assert.ok(body['access_token'], JSON.stringify(body));
}

/** A bot's token while Telegram is away, a link into Telegram, pages asked with tokens in their address. */
async function runOtherFlows(): Promise<void> {
  const botToken = '8181818181:AAEdocumentation_only_token_000000000';
  keep('bot token', botToken);
  const path = '/api/v1/admin/tenants/uz/telegram-bot';
  const asAdmin = { token: app.apiKey };
  telegram.state.mode = 'down';
  assert.equal((await app.request('PUT', path, { token: botToken }, asAdmin)).status, 200);
  await app.post(`${V1}/send-verification`, { telegram_user_id: '4242', tenant: 'uz' });
  telegram.state.mode = 'up';
  const link = await app.post(`${V1}/telegram/links`, { tenant: 'uz' });
  if (link.status === 200) {
    keep('link', link.body.link_id);
    await app.get(`${V1}/telegram/links/${link.body.link_id}`);
  }
  const sent = await app.post(`${V1}/send-verification`, { email: 'status@example.com' });
  keep('handle', sent.body.verification_id);
  keep('code', await app.code('status@example.com'));
  await app.get(`${V1}/verifications/${sent.body.verification_id}?token=${sent.body.verification_id}`);
  await fetch(`${app.url}/not-me/${sent.body.verification_id}`, { headers: { accept: 'text/html' } });
  await app.post(`${V1}/refresh`, { refresh_token: 'fpr_a-refresh-token-of-nobody-at-all' });
  keep('refresh token', 'fpr_a-refresh-token-of-nobody-at-all');
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

test('S25 no code, token, key or handle lies in any database or log line, in any plain form', async () => {
  await runFlows();
  assert.ok(secrets.size > 50, [...secrets.keys()].join());
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

test('S25 addresses and names of people are not in the log', () => {
  const whole = lines.join('\n');
  for (const personal of ['4155551101', '901111101', 'rest@example.com', '127.0.0.1']) {
    assert.ok(!whole.includes(personal), personal);
  }
});

test('S25 the payload of a message is wiped once it has been sent', async () => {
  for (const { sql } of app.databases.all()) {
    const rows = await sql`select state, payload_sealed is null as wiped from messages`;
    for (const row of rows) assert.deepEqual({ ...row }, { state: 'sent', wiped: true });
  }
});

test('S25 this search finds what it looks for', async () => {
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
