import assert from 'node:assert/strict';
import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createSecrets } from '../../src/kernel/secrets.ts';
import { createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';

let app: TestApp;
let genuine: string;
let header: { kid: string };
let claims: Record<string, unknown>;
let publicJwk: { kid: string; x: string; y: string };
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });

before(async () => {
  app = await createTestApp();
  genuine = (await app.signIn({ email: 'genuine@example.com' })).body.access_token;
  const [head = '', payload = ''] = genuine.split('.');
  header = JSON.parse(Buffer.from(head, 'base64url').toString());
  claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const { keys } = (await app.get('/t/default/.well-known/jwks.json')).body;
  publicJwk = keys.find((key: { kid: string }) => key.kid === header.kid);
});
after(() => app.close());

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const BASE = { alg: 'ES256', typ: 'at+jwt' };

/** A token of any header and claims, signed by a key of our own making, or by none. */
function forge(
  head: object,
  payload: object = claims,
  key: KeyObject | undefined = foreign.privateKey,
): string {
  const text = `${encode(head)}.${encode(payload)}`;
  const signature = key
    ? sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
    : Buffer.alloc(0);
  return `${text}.${signature.toString('base64url')}`;
}

async function refused(token: string, what: string): Promise<void> {
  for (const path of ['session', 'me', 'devices', 'check']) {
    const answer = await app.get(`/api/v1/auth/${path}`, { token });
    assert.equal(answer.status, 401, `${what} at ${path}`);
    assert.equal(answer.body.error, 'TOKEN_INVALID', `${what} at ${path}`);
  }
  const introspection = await app.post(
    '/api/v1/introspect',
    { token },
    { headers: { 'x-api-key': app.apiKey } },
  );
  assert.ok(introspection.status === 400 || introspection.body.active === false, what);
}

test('S12 the genuine token passes: the forgeries below differ from it in one thing each', async () => {
  assert.equal((await app.get('/api/v1/auth/session', { token: genuine })).status, 200);
  assert.equal(publicJwk.kid, header.kid);
});

test('S12 a token without a signature, or with alg none in any writing, is refused', async () => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined]) {
    await refused(forge({ ...header, alg }, claims, undefined), `alg ${alg}`);
    await refused(`${encode({ ...header, alg })}.${encode(claims)}`, `alg ${alg}, two segments`);
  }
  const [head, payload, signature = ''] = genuine.split('.');
  await refused(`${head}.${payload}.`, 'empty signature');
  await refused(`${head}.${payload}`, 'no signature');
  await refused(`${head}.${payload}.${signature.slice(0, -2)}`, 'shortened signature');
  await refused(
    `${head}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    'signature of zeros (CVE-2022-21449)',
  );
});

test('S12 a token signed by HMAC with the public key as its secret is refused', async () => {
  const text = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
  const point = Buffer.concat([Buffer.from(publicJwk.x, 'base64url'), Buffer.from(publicJwk.y, 'base64url')]);
  for (const secret of [JSON.stringify(publicJwk), publicJwk.x, point, '', header.kid]) {
    const mac = createHmac('sha256', secret).update(text).digest('base64url');
    await refused(`${text}.${mac}`, 'HS256');
  }
});

test('S12 a key that is not ours is never looked for, wherever the token points', async () => {
  const jwk = { ...foreign.publicKey.export({ format: 'jwk' }), kid: header.kid, alg: 'ES256' };
  for (const [what, extra] of [
    ['our kid, another key', { kid: header.kid }],
    ['unknown kid', { kid: 'unknown' }],
    ['no kid', {}],
    ['kid as a path', { kid: '../../../../dev/null' }],
    ['kid as SQL', { kid: "x' UNION SELECT 'AA" }],
    ['kid as a command', { kid: '|/bin/true' }],
    ['kid as an object', { kid: { $ne: '' } }],
    ['kid as a number', { kid: 1 }],
    ['kid of the prototype', { kid: '__proto__' }],
    ['very long kid', { kid: 'k'.repeat(2000) }],
    ['kid with NUL', { kid: `${header.kid}\0` }],
    ['embedded jwk', { kid: header.kid, jwk }],
    ['jwk without kid', { jwk }],
    ['jku', { kid: header.kid, jku: 'https://evil.test/jwks.json' }],
    ['x5u', { kid: header.kid, x5u: 'https://evil.test/cert.pem' }],
    ['x5c', { kid: header.kid, x5c: ['MIIB'] }],
    ['crit', { kid: header.kid, crit: ['b64'], b64: false }],
  ] as const) {
    await refused(forge({ ...BASE, ...extra }), what);
  }
});

test('S12 only the compact form of three segments is a token', async () => {
  const [head, payload, signature] = genuine.split('.') as [string, string, string];
  for (const [what, token] of [
    ['five segments', `${head}.${payload}.${signature}.${signature}.${signature}`],
    ['four segments', `${genuine}.`],
    ['flattened JSON', JSON.stringify({ protected: head, payload, signature })],
    ['general JSON', JSON.stringify({ payload, signatures: [{ protected: head, signature }] })],
    ['padded', `${genuine}=`],
    ['a space inside', `${head}. ${payload}.${signature}`],
    ['twice', `${genuine} ${genuine}`],
    ['nested', forge({ ...BASE, kid: header.kid, cty: 'JWT' }, { token: genuine })],
    ['no JSON inside', `${Buffer.from('x').toString('base64url')}.${payload}.${signature}`],
    ['an array inside', `${encode([])}.${payload}.${signature}`],
    [
      'one letter changed',
      `${head}.${payload.slice(0, -1)}${payload.endsWith('A') ? 'B' : 'A'}.${signature}`,
    ],
  ] as const) {
    await refused(token, what);
  }
});

test('S13 a token of our own that claims anything else than its key may is refused', async () => {
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  const now = Math.floor(app.clock.now().getTime() / 1000);
  const honest = await app.app.keys.sign(tenant.id, claims);
  assert.equal((await app.get('/api/v1/auth/session', { token: honest })).status, 200);
  for (const [what, change] of [
    ['another issuer', { iss: 'https://evil.test' }],
    ['the issuer of another tenant', { iss: 'https://auth.test/t/us' }],
    ['another audience', { aud: 'us' }],
    ['no audience', { aud: undefined }],
    ['another tenant id', { tid: app.app.tenants.bySlug('us')?.id }],
    ['no subject', { sub: undefined }],
    ['no session', { sid: undefined }],
    ['no id', { jti: undefined }],
    ['no end', { exp: undefined }],
    ['an end that is no number', { exp: '9999999999' }],
    ['not yet valid', { nbf: now + 60 }],
  ] as const) {
    await refused(await app.app.keys.sign(tenant.id, { ...claims, ...change } as never), what);
  }
  const expired = await app.app.keys.sign(tenant.id, { ...claims, exp: now });
  assert.equal((await app.get('/api/v1/auth/session', { token: expired })).body.error, 'TOKEN_EXPIRED');
});

test('S13 another type of token, signed by our very own key, is no access token', async () => {
  const [row] = await app.databases.control.sql`
    select tenant_id, kid, private_key_sealed from signing_keys where kid = ${header.kid}`;
  const der = createSecrets([TEST_SECRET]).open(
    row?.['private_key_sealed'],
    `signing-key:${row?.['tenant_id']}:${header.kid}`,
  );
  const own = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const control = forge({ ...BASE, kid: header.kid }, claims, own);
  assert.equal((await app.get('/api/v1/auth/session', { token: control })).status, 200);
  for (const typ of ['JWT', 'id+jwt', 'logout+jwt', 'rt+jwt', '', undefined]) {
    await refused(forge({ ...BASE, kid: header.kid, typ }, claims, own), `typ ${typ}`);
  }
});

test('a session token whose bytes were changed is refused', async () => {
  const { body } = await app.signIn({ email: 'bytes@example.com' }, { style: 'opaque' });
  const token = body.session_token as string;
  for (let at = 4; at < token.length; at += 5) {
    const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    const answer = await app.get('/api/v1/auth/session', { token: changed });
    assert.equal(answer.status, 401, `byte ${at}`);
  }
  await refused(token.replace('fps_', 'fpr_'), 'another prefix');
  await refused(token.slice(0, -1), 'one letter short');
  await refused(`${token}A`, 'one letter long');
});
