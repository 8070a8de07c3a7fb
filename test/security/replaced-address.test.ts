import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller, newEmail } from '../race/started.ts';

const AUTH = '/api/v1/auth';
const PASSWORD = 'violet harbour 19 mandolin';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

async function sendTo(to: string, path: string, body: Record<string, unknown>, token?: string) {
  const earlier = await app.newestMessage(to);
  const sent = await app.post(AUTH + path, body, { token, from: newCaller() });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const { verification_id } = sent.body as { verification_id: string };
  return { verification_id, code: await app.code(to, { after: earlier }) };
}

/** Somebody whose mailbox is no longer theirs alone, signed in on two devices. */
async function newPerson() {
  const email = newEmail();
  const { body } = await app.signIn({ email }, {}, { from: newCaller() });
  app.clock.advance(61);
  const other = await app.signIn({ email }, {}, { from: newCaller() });
  app.clock.advance(61);
  const [identity] = body.user.identities as { id: string }[];
  return { email, token: body.access_token as string, other: other.body.access_token as string, identity };
}

type Person = Awaited<ReturnType<typeof newPerson>>;

/** The two ways in which an address stops being one of the account's. */
const WAYS: Record<string, (person: Person) => Promise<void>> = {
  async replaced({ token, identity }) {
    const email = newEmail();
    const proof = await sendTo(email, '/identities', { email, replaces: identity?.id }, token);
    assert.equal((await app.post(`${AUTH}/verify-code`, proof, { token })).status, 200);
  },
  async removed({ token, identity }) {
    const email = newEmail();
    const proof = await sendTo(email, '/identities', { email }, token);
    assert.equal((await app.post(`${AUTH}/verify-code`, proof, { token })).status, 200);
    const gone = await app.request('DELETE', `${AUTH}/identities/${identity?.id}`, undefined, { token });
    assert.equal(gone.status, 200, JSON.stringify(gone.body));
  },
};

for (const [name, lose] of Object.entries(WAYS)) {
  test(`S33 a code for a new password that waits in a mailbox is worth nothing once the address is ${name}`, async () => {
    const person = await newPerson();
    const proof = await sendTo(person.email, '/forgot-password', { email: person.email });
    await lose(person);
    const typed = await app.post(`${AUTH}/verify-code`, proof, { from: newCaller() });
    assert.equal(typed.body.error, 'VERIFICATION_NOT_FOUND', JSON.stringify(typed.body));
    assert.equal((await app.get(`${AUTH}/session`, { token: person.token })).status, 200);
  });

  test(`S33 what such a code has proved sets no password once the address is ${name}`, async () => {
    const person = await newPerson();
    const proof = await sendTo(person.email, '/forgot-password', { email: person.email });
    const { reset_token: token } = (await app.post(`${AUTH}/verify-code`, proof)).body;
    await lose(person);
    const set = await app.post(`${AUTH}/reset-password`, { new_password: PASSWORD }, { token });
    assert.equal(set.body.error, 'TOKEN_INVALID', JSON.stringify(set.body));
    assert.equal((await app.get(`${AUTH}/session`, { token: person.token })).status, 200);
  });

  test(`S33 a step-up begun by that address proves nothing once it is ${name}`, async () => {
    const person = await newPerson();
    const { other: token } = person;
    const proof = await sendTo(person.email, '/step-up', { identity_id: person.identity?.id }, token);
    await lose(person);
    const typed = await app.post(`${AUTH}/verify-code`, proof, { token, from: newCaller() });
    assert.equal(typed.body.error, 'VERIFICATION_NOT_FOUND', JSON.stringify(typed.body));
  });
}
