import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestApp } from '../create-test-app.ts';
import { cookieHeader, createVisitor } from '../security/visitor.ts';

const sports = ['chess', 'judo', 'rowing', 'sailing'];
const schema = { properties: { sports: { type: 'array', items: { enum: sports } } } };
const app = await createTestApp({ tenants: { default: { custom_fields: schema } } });
after(() => app.close());

test('a form keeps every choice that was ticked, however many', async () => {
  const email = 'many-choices@example.com';
  const visitor = createVisitor(app, '203.0.113.41');
  await visitor.get('/sign-up?with=email');
  const form = new URLSearchParams({ form_token: visitor.token(), with: 'email', email });
  for (const sport of sports.slice(0, 3)) form.append('custom_fields.sports', sport);
  const sent = await fetch(`${app.url}/sign-up`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: cookieHeader(visitor.cookies), 'sec-fetch-site': 'same-origin' },
    body: form,
  });
  assert.equal(sent.status, 303, await sent.text());
  const proof = { email, code: await app.code(email) };
  const proved = await app.post('/api/v1/auth/verify-code', proof);
  assert.deepEqual(proved.body.user?.custom_fields, { sports: ['chess', 'judo', 'rowing'] });
});
