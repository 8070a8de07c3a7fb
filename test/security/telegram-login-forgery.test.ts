import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { SignJWT, UnsecuredJWT } from 'jose';
import { LOGIN_CLIENT } from '../telegram/fake-login.ts';
import { BACK, createLoginApp, LOGIN_PATH, newPerson, newPhone } from '../telegram/login-app.ts';

const { app, fake, restore, seconds, begin, complete, signIn, refused } = await createLoginApp();
afterEach(restore);
after(() => app.close());

test('S41 the state of another browser is worth nothing: neither a stranger’s answer here, nor ours there', async () => {
  const [victim, attacker] = [await begin(), await begin()];
  const answer = fake.approve(attacker.url, newPerson());
  // Login CSRF: the attacker's answer is put before the victim's browser.
  await refused({ login_id: victim.login_id, ...answer });
  await refused({
    login_id: victim.login_id,
    ...answer,
    state: new URL(victim.url).searchParams.get('state'),
  });
  // Injection: the victim's code, stolen on its way back, in the attacker's browser.
  const stolen = fake.approve(victim.url, newPerson());
  await refused({ login_id: attacker.login_id, ...stolen });
  await refused({
    login_id: attacker.login_id,
    code: stolen.code,
    state: new URL(attacker.url).searchParams.get('state'),
  });
  await refused({ login_id: `${victim.login_id.slice(0, -2)}AA`, ...stolen });
  await refused({ login_id: 'fpo_', ...stolen });
});

test('S41 the state alone keeps browsers apart, should PKCE and nonce not', async () => {
  Object.assign(fake.state, { keepsPkce: false, echoesNonce: false });
  const [victim, attacker] = [await begin(), await begin()];
  const answer = fake.approve(attacker.url, newPerson());
  await refused({ login_id: victim.login_id, ...answer });
  assert.equal((await complete({ login_id: attacker.login_id, ...answer })).status, 201);
});

test('S41 PKCE alone binds a code to its browser, should state and nonce not', async () => {
  fake.state.echoesNonce = false;
  const [victim, attacker] = [await begin(), await begin()];
  const { code } = fake.approve(attacker.url, newPerson());
  await refused({ login_id: victim.login_id, code, state: new URL(victim.url).searchParams.get('state') });
});

test('S41 it works once, even if Telegram took its code again, and of twenty at once one signs in', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  assert.equal((await complete({ login_id, ...answer })).status, 201);
  await refused({ login_id, ...answer });
  fake.state.codesWorkAgain = true;
  const second = await begin();
  const again = fake.approve(second.url, newPerson({ phone_number: newPhone() }));
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => complete({ login_id: second.login_id, ...again })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).sort((left, right) => left - right),
    [201, ...Array.from({ length: 19 }, () => 401)],
  );
});

test('S41 a token with another nonce, audience, issuer or number of the person, or out of its time, is refused', async () => {
  const wrong: Record<string, unknown>[] = [
    { nonce: 'another' },
    { nonce: '' },
    { aud: '1234' },
    { aud: [LOGIN_CLIENT.id, '1234'] },
    { iss: 'https://oauth.telegram.example' },
    { exp: Math.floor(seconds()) - 60 },
    { exp: undefined },
    { iat: undefined },
    { sub: undefined },
    { id: undefined },
    { id: 0 },
    { id: '-7' },
    { id: 'me' },
  ];
  for (const claims of wrong) {
    fake.state.claims = claims;
    const { login_id, url } = await begin();
    await refused({ login_id, ...fake.approve(url, newPerson()) });
  }
});

test('S41 a token without a nonce counts, as Telegram’s do, bound by PKCE alone', async () => {
  fake.state.echoesNonce = false;
  assert.equal((await signIn(newPerson())).status, 201);
  assert.equal(
    fake.requests
      .filter(({ path }) => path === '/token')
      .at(-1)
      ?.body.get('code_verifier')?.length,
    43,
  );
});

test('S41 a token that is unsigned, signed by another key or symmetrically is refused', async () => {
  const forges: NonNullable<typeof fake.state.forge>[] = [
    async (claims) => new UnsecuredJWT(claims).encode(),
    (claims, { foreign }) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'oidc-1' }).sign(foreign),
    (claims, { foreign }) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'oidc-1', jku: 'https://evil.example/keys' })
        .sign(foreign),
    (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'oidc-1' })
        .sign(Buffer.from(LOGIN_CLIENT.secret.padEnd(32, '.'))),
    async () => 'no.token.atall',
  ];
  for (const forge of forges) {
    fake.state.forge = forge;
    const { login_id, url } = await begin();
    await refused({ login_id, ...fake.approve(url, newPerson()) });
  }
  assert.ok(fake.requests.every(({ path }) => !path.includes('evil')));
});

test('S41 mix-up: the answer of another issuer, or of another tenant’s sign-in, is refused', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  await refused({ login_id, ...answer, iss: 'https://evil.example' });
  const other = { headers: { 'x-tenant': 'us' } };
  await refused({ login_id, ...answer }, other);
  assert.equal((await complete({ login_id, ...answer, iss: 'https://oauth.telegram.org' })).status, 201);
  const closed = await app.post(LOGIN_PATH, { redirect_uri: BACK }, other);
  assert.deepEqual([closed.status, closed.body.error], [503, 'CHANNEL_UNAVAILABLE']);
});

test('S41 it is over after ten minutes', async () => {
  const { login_id, url } = await begin();
  const answer = fake.approve(url, newPerson());
  app.clock.advance(600);
  const late = await complete({ login_id, ...answer });
  assert.deepEqual([late.status, late.body.error], [410, 'LINK_EXPIRED']);
});
