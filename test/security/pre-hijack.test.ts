import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { hash as argon2 } from '@node-rs/argon2';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';

/**
 * Pre-hijacking (Sudhodanan and Paverd, 2022): somebody prepares the account of a person who has none yet, and waits.
 * Whatever they prepared must be worth nothing once that person has proved the address.
 */
const ATTACKER = 'sinister-Marble-13';
const VICTIM = 'violet-Harbour-42';
let app: TestApp;
let callers = 0;
const caller = (): { from: string } => ({ from: `198.51.100.${++callers}` });

before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const post = (path: string, body: unknown, token?: string): Promise<Answer> =>
  app.post(`/api/v1/auth/${path}`, body, { ...caller(), token });
const register = (email: string, password: string, more: object = {}): Promise<Answer> =>
  post('register', { email, password, ...more });
const login = (email: string, password: string): Promise<Answer> => post('login', { email, password });

/** All codes an address got, oldest first, once there are so many. */
async function codes(email: string, expected: number): Promise<string[]> {
  for (let attempt = 0; attempt < 200; attempt++) {
    await app.app.worker.dispatch();
    const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(email)}`);
    const found = (body as { code: string | null }[]).flatMap(({ code }) => (code ? [code] : [])).reverse();
    if (found.length >= expected) return found;
    await wait(10);
  }
  throw new Error(`fewer than ${expected} codes came to ${email}`);
}

async function assertNothingLeft(email: string): Promise<void> {
  const { sql } = app.databases.control;
  assert.equal((await sql`select 1 from pending_registrations where value = ${email}`).length, 0);
  const live = await sql`
    select 1 from verifications where value = ${email} and consumed_at is null and purpose in ('sign_in', 'register')`;
  assert.equal(live.length, 0);
}

/** An attacker's and a victim's registration for one address; the victim's code follows after the cool-down. */
async function two(email: string): Promise<{ handles: [string, string]; codes: [string, string] }> {
  const attacker = await register(email, ATTACKER, { first_name: 'Mallory' });
  const [first = ''] = await codes(email, 1);
  const victim = await register(email, VICTIM, { first_name: 'Vera' });
  assert.equal(victim.status, 202);
  assert.equal(
    victim.body.resend_in,
    120,
    'the code comes after the cool-down, and its own cool-down follows',
  );
  app.clock.advance(61);
  const second = (await codes(email, 2))[1] ?? '';
  assert.notEqual(second, first);
  return { handles: [attacker.body.verification_id, victim.body.verification_id], codes: [first, second] };
}

test('S04 two registrations of one address: of the four handle and code pairs two succeed, each with its own password', async () => {
  for (const handle of [0, 1] as const) {
    for (const code of [0, 1] as const) {
      const email = `pair${handle}${code}@example.net`;
      const made = await two(email);
      const answer = await post('verify-code', {
        verification_id: made.handles[handle],
        code: made.codes[code],
      });
      if (handle !== code) {
        assert.equal(answer.body.error, 'INVALID_CODE');
        continue;
      }
      assert.equal(answer.status, 201);
      assert.equal(answer.body.user.first_name, ['Mallory', 'Vera'][handle]);
      await assertNothingLeft(email);
      const own = [ATTACKER, VICTIM][handle] ?? '';
      const other = [VICTIM, ATTACKER][handle] ?? '';
      assert.equal((await login(email, own)).status, 200);
      assert.equal((await login(email, other)).body.error, 'INVALID_CREDENTIALS');
      for (const dead of made.handles) {
        for (const tried of made.codes) {
          const again = await post('verify-code', { verification_id: dead, code: tried });
          assert.equal(again.body.error, 'VERIFICATION_NOT_FOUND');
        }
      }
    }
  }
});

test('S05 with the address alone and two passwords waiting, neither is kept; a new one is set at once', async () => {
  for (const which of [0, 1] as const) {
    const email = `alone${which}@example.net`;
    const made = await two(email);
    const answer = await post('verify-code', { email, otp: made.codes[which] });
    assert.equal(answer.status, 201);
    assert.equal(answer.body.next_action, 'SET_PASSWORD');
    await assertNothingLeft(email);
    for (const password of [ATTACKER, VICTIM]) {
      assert.equal((await login(email, password)).body.error, 'INVALID_CREDENTIALS');
    }
    const set = await post('reset-password', { new_password: 'copper-Window-88' }, answer.body.reset_token);
    assert.equal(set.status, 200);
    assert.equal((await login(email, 'copper-Window-88')).status, 200);
  }
});

test('S05 trojan registration: a victim who first tries an own password never gets the one that waits', async () => {
  for (const within of ['the cool-down', 'a later minute']) {
    const email = `trojan-${within.length}@example.net`;
    await register(email, ATTACKER);
    const [code] = await codes(email, 1);
    if (within === 'a later minute') app.clock.advance(61);
    const refused = await login(email, VICTIM);
    assert.equal(refused.body.error, 'ACCOUNT_NOT_VERIFIED');
    // By the attacker's code and the address alone, or by the fresh one under the victim's handle.
    const fresh = within === 'a later minute' ? (await codes(email, 2))[1] : undefined;
    const body = fresh ? { verification_id: refused.body.verification_id, code: fresh } : { email, code };
    const answer = await post('verify-code', body);
    assert.equal(answer.status, 201, within);
    assert.equal(answer.body.next_action, 'SET_PASSWORD', within);
    assert.equal((await login(email, ATTACKER)).body.error, 'INVALID_CREDENTIALS', within);
    await assertNothingLeft(email);
  }
});

test('S05 a victim who proves the address by a sign-in code ends what an attacker registered', async () => {
  const email = 'classic@example.net';
  const attacker = await register(email, ATTACKER, { username: 'mallory' });
  const [code] = await codes(email, 1);
  app.clock.advance(61);
  const sent = await post('send-verification', { email });
  const second = (await codes(email, 2))[1];
  const answer = await post('verify-code', { verification_id: sent.body.verification_id, code: second });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.user.username, null, 'nothing of what the attacker typed');
  await assertNothingLeft(email);
  assert.equal((await login(email, ATTACKER)).body.error, 'INVALID_CREDENTIALS');
  const stale = await post('verify-code', { verification_id: attacker.body.verification_id, code });
  assert.equal(stale.body.error, 'VERIFICATION_NOT_FOUND');
  const resent = await post('resend-otp', { verification_id: attacker.body.verification_id });
  assert.equal(resent.body.error, 'VERIFICATION_NOT_FOUND');
});

test('S05 a handle somebody got by asking again for an address does not carry the password that waits there', async () => {
  const email = 'resent@example.net';
  await register(email, ATTACKER);
  await codes(email, 1);
  app.clock.advance(301);
  // The victim's own page asks again by the address alone and so holds a handle of the attacker's registration.
  const resent = await post('resend-otp', { email });
  assert.equal(resent.status, 200);
  const fresh = (await codes(email, 2))[1];
  await login(email, VICTIM);
  const answer = await post('verify-code', { verification_id: resent.body.verification_id, code: fresh });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.next_action, 'SET_PASSWORD');
  assert.equal((await login(email, ATTACKER)).body.error, 'INVALID_CREDENTIALS');
});

test('S05 such a handle cannot change the registration either', async () => {
  const email = 'overwrite@example.net';
  const owner = await register(email, VICTIM);
  const [code] = await codes(email, 1);
  app.clock.advance(61);
  const refused = await login(email, ATTACKER);
  const changed = await register(email, ATTACKER, { verification_id: refused.body.verification_id });
  assert.equal(changed.status, 202);
  const answer = await post('verify-code', { verification_id: owner.body.verification_id, code });
  assert.equal(answer.status, 201);
  assert.equal((await login(email, VICTIM)).status, 200);
  assert.equal((await login(email, ATTACKER)).body.error, 'INVALID_CREDENTIALS');
});

test('S05 unexpired session: none that began before the owner set a password lives after', async () => {
  const email = 'session@example.net';
  // Somebody who once read the mailbox holds a session; the owner recovers the account.
  const attacker = await app.signIn({ email }, {}, caller());
  await post('forgot-password', { email });
  const code = (await codes(email, 2))[1];
  const proved = await post('verify-code', { email, code });
  const reset = await post('reset-password', { new_password: VICTIM }, proved.body.reset_token);
  assert.equal(reset.status, 200);
  const { access_token: token, refresh_token: refreshToken } = attacker.body;
  assert.equal((await app.get('/api/v1/auth/me', { token })).body.error, 'SESSION_ENDED');
  assert.equal((await post('refresh', { refresh_token: refreshToken })).body.error, 'SESSION_ENDED');
});

test('S05 an imported account that nobody verified: its password survives only a proof by whoever typed it', async () => {
  const tenant = app.app.tenants.bySlug('default');
  const { sql } = app.databases.control;
  const prepare = async (email: string): Promise<void> => {
    const [id, now] = [randomUUID(), app.clock.now()];
    await sql`insert into users (tenant_id, id, password_hash, created_at, updated_at)
      values (${tenant?.id ?? ''}, ${id}, ${await argon2(ATTACKER)}, ${now}, ${now})`;
    await sql`insert into identities (tenant_id, kind, value, id, user_id, as_entered, created_at)
      values (${tenant?.id ?? ''}, 'email', ${email}, ${randomUUID()}, ${id}, ${email}, ${now})`;
  };

  const byCode = 'imported-code@example.net';
  await prepare(byCode);
  const signedIn = await app.signIn({ email: byCode }, {}, caller());
  assert.equal(signedIn.status, 200);
  assert.equal(signedIn.body.next_action, 'SET_PASSWORD');
  assert.equal((await login(byCode, ATTACKER)).body.error, 'INVALID_CREDENTIALS');

  const byForm = 'imported-form@example.net';
  await prepare(byForm);
  const registered = await register(byForm, VICTIM);
  assert.equal(registered.status, 202);
  const [code] = await codes(byForm, 1);
  const proved = await post('verify-code', { verification_id: registered.body.verification_id, code });
  assert.equal(proved.status, 200);
  assert.equal((await login(byForm, ATTACKER)).body.error, 'INVALID_CREDENTIALS');
  assert.equal((await login(byForm, VICTIM)).status, 200);

  const wrongFirst = 'imported-wrong@example.net';
  await prepare(wrongFirst);
  const refused = await login(wrongFirst, VICTIM);
  assert.equal(refused.body.error, 'ACCOUNT_NOT_VERIFIED');
  const [sent] = await codes(wrongFirst, 1);
  const verified = await post('verify-code', { email: wrongFirst, code: sent });
  assert.equal(verified.body.next_action, 'SET_PASSWORD');
  assert.equal((await login(wrongFirst, ATTACKER)).body.error, 'INVALID_CREDENTIALS');
});
