import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

test('signs in with one first code', async () => {
  const answer = await app.signIn({ phone: '+14155552671' });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.is_new_user, true);
});
