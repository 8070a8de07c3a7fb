import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { census } from '../census.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';

const V1 = '/api/v1/auth';
let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

async function set(settings: Record<string, unknown>): Promise<void> {
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, ...settings } });
}

const PASSWORD = 'violet-Harbour-42';

test('throw-away mailboxes are taken unless a tenant refuses them', async () => {
  const { status } = await app.signIn({ email: 'early@mailinator.com' });
  assert.equal(status, 201);
});

for (const errorDetail of ['explicit', 'uniform', 'after_proof']) {
  test(`refused, with the field named and alike for everybody, where answers are ${errorDetail}`, async () => {
    await set({ disposable_email: 'refuse', error_detail: errorDetail });
    const person = await app.signIn({ email: `person-${errorDetail}@example.org` });
    const { access_token: token } = person.body;
    await app.post(`${V1}/step-up`, { method: 'email' }, { token });
    const before = await census(app);
    // One of the two has an account from before.
    for (const email of ['early@mailinator.com', 'nobody@sub.mailinator.com']) {
      for (const [path, body] of [
        [`${V1}/send-verification`, { email }],
        [`${V1}/resend-otp`, { email }],
        [`${V1}/register`, { email, password: PASSWORD }],
        ['/api/auth/register', { email, password: PASSWORD }],
        [`${V1}/identities`, { email }],
      ] as const) {
        const answer = await app.post(path, body, { token });
        assert.deepEqual([answer.status, answer.body.error], [400, 'INVALID_REQUEST'], `${path} ${email}`);
        assert.equal(answer.body.issues[0].path, '/email');
      }
    }
    assert.deepEqual(await census(app), before, 'nothing was kept or sent');
  });
}
