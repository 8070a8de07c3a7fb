import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller, newEmail, sendPath, start, type Started, verifyPath, wrongCodes } from './started.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

/** Two people ask for a code to one address; their codes differ. */
async function startTwice(): Promise<[Started, Started]> {
  const email = newEmail();
  const first = await start(app, email);
  app.clock.advance(61);
  return [first, await start(app, email)];
}

test('S04 of two verifications for one address each handle takes its own code only', async () => {
  // Where something was guessed wrong before, a code is checked by a statement of its own.
  for (const [handleOf, codeOf, isGuessedAt] of [
    [0, 0, false],
    [0, 1, false],
    [1, 0, false],
    [1, 1, false],
    [0, 0, true],
    [0, 1, true],
    [1, 0, true],
    [1, 1, true],
  ] as const) {
    const pair = await startTwice();
    if (isGuessedAt) {
      const [code] = wrongCodes(1, pair[0].code, pair[1].code);
      const guess = await app.post(verifyPath, { verification_id: pair[handleOf].handle, code });
      assert.equal(guess.body.error, 'INVALID_CODE');
    }
    const body = { verification_id: pair[handleOf].handle, code: pair[codeOf].code };
    const answer = await app.post(verifyPath, body);
    const name = `handle ${handleOf} with code ${codeOf}${isGuessedAt ? ', guessed at before' : ''}`;
    assert.equal(answer.status, handleOf === codeOf ? 201 : 401, name);
    if (handleOf !== codeOf) assert.equal(answer.body.error, 'INVALID_CODE', name);
  }
});

test('S04 a code is worth nothing with the handle of another address', async () => {
  const mine = await start(app);
  const theirs = await start(app);
  const answer = await app.post(verifyPath, { verification_id: theirs.handle, code: mine.code });
  assert.equal(answer.body.error, 'INVALID_CODE');
  const both = await app.post(verifyPath, {
    verification_id: mine.handle,
    email: theirs.email,
    code: theirs.code,
  });
  assert.notEqual(both.status, 201, 'an address beside the handle does not widen it');
  assert.notEqual(both.status, 200);
  assert.equal((await app.post(verifyPath, { verification_id: mine.handle, code: mine.code })).status, 201);
});

test('S04 a code of one tenant is worth nothing in another', async () => {
  const phone = '+14155552671';
  const startIn = async (tenant: string): Promise<{ handle: string; code: string }> => {
    const before = await app.newestMessage(phone);
    const sent = await app.post(sendPath, { phone }, { headers: { 'x-tenant': tenant }, from: newCaller() });
    assert.equal(sent.status, 200, JSON.stringify(sent.body));
    return { handle: sent.body.verification_id, code: await app.code(phone, { after: before }) };
  };
  const ours = await startIn('default');
  const market = await startIn('us');
  const verify = (tenant: string, body: Record<string, string>) =>
    app.post(verifyPath, body, { headers: { 'x-tenant': tenant } });

  for (const [tenant, own, other] of [
    ['default', ours, market],
    ['us', market, ours],
  ] as const) {
    const answers = [
      await verify(tenant, { verification_id: other.handle, code: other.code }),
      await verify(tenant, { verification_id: own.handle, code: other.code }),
      await verify(tenant, { phone, code: other.code }),
    ];
    const outcomes = answers.map(({ body }) => body.error);
    assert.deepEqual(outcomes, ['VERIFICATION_NOT_FOUND', 'INVALID_CODE', 'INVALID_CODE'], tenant);
  }
  const inDefault = await verify('default', { verification_id: ours.handle, code: ours.code });
  const inMarket = await verify('us', { verification_id: market.handle, code: market.code });
  assert.deepEqual([inDefault.status, inMarket.status], [201, 201], 'an account in each');
  assert.notEqual(inDefault.body.user.id, inMarket.body.user.id);
});

/** Does the first byte of a handle of full length name a purpose that only a signed-in person has: link, step up? */
const ofSession = (handle: string): boolean =>
  /^[\w-]{50}$/.test(handle) && [3, 4].includes(Buffer.from(handle, 'base64url')[0] as number);

test('S04 a handle that is cut, lengthened or differs in one bit names nothing, and costs its owner nothing', async () => {
  const { email, handle, code } = await start(app);
  const bytes = Buffer.from(handle, 'base64url');
  assert.ok(bytes.byteLength >= 16 + 16, 'an id and 128 random bits at least');
  const flipped = Array.from({ length: bytes.byteLength * 8 }, (_, bit) => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
    return copy.toString('base64url');
  });
  const cut = [0, 1, 22, 23, 43].map((length) => handle.slice(0, length));
  const lengthened = [`${handle}A`, `${handle}=`, `${handle}${handle}`, `${handle}\u0000`];
  for (const wrong of [...flipped, ...cut, ...lengthened]) {
    const answer = await app.post(verifyPath, { verification_id: wrong, code });
    // A purpose that belongs to a session wants that session before anything is looked up.
    const wanted = ofSession(wrong) ? [401] : [400, 404];
    assert.ok(wanted.includes(answer.status), `${answer.status} for ${JSON.stringify(wrong)}`);
  }
  const [row] = await app.databases.control.sql`select attempts from verifications where value = ${email}`;
  assert.equal(row?.['attempts'], 0, 'nothing was compared');
  assert.equal((await app.post(verifyPath, { verification_id: handle, code })).status, 201);
});

test('S04 handles end in 128 random bits: over 60 of them no bit keeps its value', async () => {
  const always = Buffer.alloc(16, 0xff);
  const ever = Buffer.alloc(16, 0);
  for (let count = 0; count < 60; count++) {
    const sent = await app.post(sendPath, { email: newEmail() }, { from: newCaller() });
    const tail = Buffer.from(sent.body.verification_id as string, 'base64url').subarray(-16);
    for (const [index, byte] of tail.entries()) {
      always[index] = (always[index] as number) & byte;
      ever[index] = (ever[index] as number) | byte;
    }
  }
  assert.equal(always.toString('hex'), '00'.repeat(16), 'no bit is always one');
  assert.equal(ever.toString('hex'), 'ff'.repeat(16), 'no bit is always zero');
});
