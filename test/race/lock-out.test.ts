import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import {
  checkToken,
  newCaller,
  newEmail,
  refreshPath,
  resendPath,
  sendPath,
  signIn,
  start,
  verifyPath,
  wrongCodes,
} from './started.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

/** Uses up what an address may guess in an hour, from many callers. */
async function hammer(email: string): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await app.post(sendPath, { email }, { from: newCaller() });
    for (const code of wrongCodes(5)) await app.post(verifyPath, { email, code }, { from: newCaller() });
    app.clock.advance(61);
  }
  const [row] = await app.databases.control.sql`
    select cardinality(failed_at) as failed from address_budgets where value = ${email}`;
  assert.equal(row?.['failed'], 10, 'the budget is used up');
}

test('S31 who is signed in stays so and may refresh while the address is being guessed at', async () => {
  const session = await signIn(app);
  await hammer(session.email);
  assert.equal(await checkToken(app, session.access), 200);
  const { status, body } = await app.post(refreshPath, { refresh_token: session.refresh });
  assert.equal(status, 200);
  assert.equal(await checkToken(app, body.access_token), 200);
});

test('S31 five wrong codes with a handle of their own do not touch the code its owner already has', async () => {
  const email = newEmail();
  const owner = await start(app, email);
  app.clock.advance(61);
  const stranger = await start(app, email);
  for (const code of wrongCodes(6, owner.code, stranger.code)) {
    await app.post(verifyPath, { verification_id: stranger.handle, code }, { from: newCaller() });
  }
  const answer = await app.post(verifyPath, { verification_id: owner.handle, code: owner.code });
  assert.equal(answer.status, 201);
});

test('S31 codes that others ask for leave a live one as it is', async () => {
  const email = newEmail();
  const owner = await start(app, email);
  for (let more = 0; more < 3; more++) {
    app.clock.advance(61);
    const path = more % 2 === 0 ? sendPath : resendPath;
    assert.equal((await app.post(path, { email }, { from: newCaller() })).status, 200);
  }
  const answer = await app.post(verifyPath, { verification_id: owner.handle, code: owner.code });
  assert.equal(answer.status, 201);
});

test('S31 an address that was guessed at signs in again when the hour is over, at the first try', async () => {
  const email = newEmail();
  await hammer(email);
  const refused = await app.post(sendPath, { email }, { from: newCaller() });
  assert.equal(refused.status, 429);
  assert.ok(refused.body.retry_after <= 3600, `told how long: ${refused.body.retry_after} s`);
  app.clock.advance(refused.body.retry_after as number);
  assert.equal((await app.signIn({ email }, {}, { from: newCaller() })).status, 201);
});
