import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
  const { tenants } = app.app;
  await tenants.create({
    slug: 'school',
    name: 'School',
    kind: 'application',
    phonePrefixes: [],
    hosts: ['login.school.test'],
    database: null,
    locale: 'en',
    settings: {},
    branding: {},
  });
});
after(() => app.close());

const SEND = '/api/v1/auth/send-verification';
let caller = 1;

/** A send to the server under any Host, as a proxy hands it on; answers the tenant that its verification has. */
async function tenantOf(
  body: { phone: string; tenant?: string },
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await new Promise<{ status: number; body: { error?: string } }>((resolve, reject) => {
    const text = JSON.stringify(body);
    const outgoing = httpRequest(
      app.url + SEND,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'x-forwarded-for': `198.51.100.${caller++}`,
          ...headers,
        },
      },
      (incoming) => {
        let received = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (part: string) => (received += part));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(received) }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(text);
  });
  if (answer.status !== 200) return `${answer.status} ${answer.body.error}`;
  const found: string[] = [];
  for (const database of app.databases.all()) {
    const rows = await database.sql`select tenant_id from verifications where value = ${body.phone}`;
    for (const row of rows) found.push(app.app.tenants.byId(row['tenant_id'] as string)?.slug ?? 'unknown');
  }
  return found.join(',');
}

test('the header names the tenant before the body, the host name and the prefix', async () => {
  const headers = { 'x-tenant': 'default', host: 'login.school.test' };
  assert.equal(await tenantOf({ phone: '+14155550101', tenant: 'us' }, headers), 'default');
});

test('the body names it before the host name and the prefix', async () => {
  assert.equal(
    await tenantOf({ phone: '+14155550102', tenant: 'default' }, { host: 'login.school.test' }),
    'default',
  );
});

test('the host name chooses before the prefix, in any case and with any port', async () => {
  assert.equal(await tenantOf({ phone: '+14155550103' }, { host: 'login.school.test' }), 'school');
  assert.equal(await tenantOf({ phone: '+14155550104' }, { host: 'LOGIN.School.test:8443' }), 'school');
});

test('a phone goes to the market of its prefix, and to the default tenant where no market claims it', async () => {
  assert.equal(await tenantOf({ phone: '+14155550105' }), 'us');
  assert.equal(await tenantOf({ phone: '+998901112244' }), 'uz');
  assert.equal(await tenantOf({ phone: '+442071838750' }), 'default');
});

test('a tenant that does not exist is 404 and never falls through to the next rule', async () => {
  const phone = '+14155550106';
  assert.equal(await tenantOf({ phone }, { 'x-tenant': 'nobody' }), '404 TENANT_NOT_FOUND');
  assert.equal(await tenantOf({ phone, tenant: 'nobody' }), '404 TENANT_NOT_FOUND');
  assert.equal(await tenantOf({ phone, tenant: 'us' }, { 'x-tenant': '' }), '404 TENANT_NOT_FOUND');
  assert.equal(await tenantOf({ phone, tenant: '' }), '404 TENANT_NOT_FOUND');
  for (const path of ['verify-code', 'resend-otp']) {
    const body = {
      email: 'a@example.com',
      tenant: 'nobody',
      ...(path === 'verify-code' && { code: '123456' }),
    };
    const answer = await app.post(`/api/v1/auth/${path}`, body);
    assert.equal(answer.body.error, 'TENANT_NOT_FOUND', path);
  }
});

test('an e-mail address goes to the default tenant unless another is named; each tenant has its own account', async () => {
  const email = 'someone@school.test';
  const here = await app.signIn({ email });
  const there = await app.signIn({ email }, {}, { headers: { 'x-tenant': 'school' } });
  assert.equal(here.body.tenant.slug, 'default');
  assert.equal(there.body.tenant.slug, 'school');
  assert.notEqual(here.body.user.id, there.body.user.id);
  assert.equal(there.status, 201);
});
