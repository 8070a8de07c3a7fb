import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { census } from '../census.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const SEND = '/api/v1/auth/send-verification';
const VERIFY = '/api/v1/auth/verify-code';

const userRow = async (market: string, id: string) => {
  const [row] = await app.databases.of(market).sql`select * from users where id = ${id}`;
  assert.ok(row);
  return row;
};
const actions = async (market: string): Promise<string[]> => {
  const rows = await app.databases.of(market).sql`select action from audit_events order by at, id`;
  return rows.map((row) => row['action'] as string).sort();
};

for (const { market, phone, other } of [
  { market: 'us', phone: '+13128059851', other: 'uz' },
  { market: 'uz', phone: '+998901234567', other: 'us' },
]) {
  test(`first time, logout and again in market ${market}: one account, in its own database only`, async () => {
    const before = await census(app);
    const added = async () => {
      const now = await census(app);
      return Object.fromEntries(
        Object.entries(now)
          .map(([name, count]) => [name, count - (before[name] ?? 0)])
          .filter(([, count]) => count !== 0),
      );
    };

    // Send: a verification, its message and the record of it; nobody has an account yet.
    const sent = await app.post(SEND, { phone });
    assert.equal(sent.status, 200);
    assert.equal(sent.body.channel, 'sms');
    assert.equal(sent.body.expires_in, 300);
    assert.equal(sent.body.resend_in, 60);
    assert.equal(sent.body.attempts_left, 5);
    assert.equal(sent.body.code_length, 6);
    assert.ok(!sent.body.destination.includes(phone.slice(3, -4)));
    const code = await app.code(phone);
    assert.deepEqual(await added(), {
      [`${market}.verifications`]: 1,
      [`${market}.messages`]: 1,
      [`${market}.audit_events`]: 1,
    });

    // The first proof makes the account, once.
    app.clock.advance(20);
    const first = await app.post(VERIFY, { phone, verification_code: code });
    assert.equal(first.status, 201);
    assert.equal(first.body.is_new_user, true);
    assert.equal(first.body.user.phone, phone);
    assert.equal(first.body.tenant.slug, market);
    assert.equal(typeof first.body.user.id, 'string');
    const { id } = first.body.user;
    const made = await userRow(market, id);
    assert.equal(made['is_active'], true);
    assert.equal(made['is_verified'], true);
    assert.deepEqual(made['last_login'], app.clock.now());
    assert.deepEqual(made['created_at'], app.clock.now());
    const [identity] = await app.databases.of(market).sql`select * from identities where user_id = ${id}`;
    assert.equal(identity?.['value'], phone);
    assert.deepEqual(identity?.['verified_at'], app.clock.now());
    const [used] = await app.databases.of(market).sql`
      select * from verifications where value = ${phone} and consumed_at is not null`;
    assert.equal(used?.['id'], made['verification_id']);
    assert.equal(used?.['code_sealed'], null);
    assert.deepEqual(await added(), {
      [`${market}.users`]: 1,
      [`${market}.identities`]: 1,
      [`${market}.verifications`]: 1,
      [`${market}.sessions`]: 1,
      [`${market}.devices`]: 1,
      [`${market}.messages`]: 1,
      [`${market}.audit_events`]: 3,
    });
    assert.deepEqual(
      (await actions(market)).filter((action) => action.startsWith('user.')),
      ['user.created', 'user.signed_in'],
    );

    const token = first.body.access_token as string;
    const claims = decodeJwt(token);
    assert.equal(claims['market'], market);
    assert.equal(claims.aud, market);
    assert.equal(claims.iss, `https://auth.test/t/${market}`);
    const session = await app.get('/api/v1/auth/session', { token });
    assert.equal(session.status, 200);
    assert.equal(session.body.market, market);
    assert.equal(session.body.user_id, id);

    // Logout: inactive, and the old token is refused at once.
    app.clock.advance(900 - 60);
    const out = await app.post('/api/v1/auth/logout', undefined, { token });
    assert.equal(out.status, 200);
    assert.deepEqual(out.body, { success: true, message: 'Logged out successfully. User is now inactive.' });
    const gone = await userRow(market, id);
    assert.equal(gone['is_active'], false);
    assert.equal(gone['is_verified'], true);
    assert.deepEqual(gone['last_login'], made['last_login']);
    assert.deepEqual(gone['updated_at'], app.clock.now());
    for (const path of ['session', 'me', 'check', 'devices']) {
      const refused = await app.get(`/api/v1/auth/${path}`, { token });
      assert.equal(refused.status, 401, path);
      assert.equal(refused.body.error, 'SESSION_ENDED', path);
    }
    const refreshed = await app.post('/api/v1/auth/refresh', { refresh_token: first.body.refresh_token });
    assert.equal(refreshed.body.error, 'SESSION_ENDED');

    // Again: the same account, a new token.
    app.clock.advance(7200);
    const second = await app.signIn({ phone });
    assert.equal(second.status, 200);
    assert.equal(second.body.is_new_user, false);
    assert.equal(second.body.user.id, id);
    assert.notEqual(second.body.access_token, token);
    const again = await userRow(market, id);
    assert.equal(again['is_active'], true);
    assert.equal(again['is_verified'], true);
    assert.deepEqual(again['last_login'], app.clock.now());
    assert.deepEqual(again['created_at'], made['created_at']);
    assert.deepEqual(again['updated_at'], app.clock.now());
    assert.equal((await app.get('/api/v1/auth/me', { token: second.body.access_token })).status, 200);
    assert.equal((await app.get('/api/v1/auth/me', { token })).status, 401);

    const total = await added();
    assert.equal(total[`${market}.users`], 1);
    assert.equal(total[`${market}.sessions`], 2);
    assert.equal(total[`${market}.audit_events`], 6);
    for (const name of Object.keys(total)) {
      assert.ok(!name.startsWith(`${other}.`) && !name.startsWith('control.'), `${name} was written`);
    }
  });
}

test('an imported account that was never verified is marked verified by its first proof', async () => {
  const { sql } = app.databases.of('us');
  const tenant = app.app.tenants.bySlug('us');
  const id = app.app.newId();
  const created = new Date('2024-05-01T00:00:00Z');
  const phone = '+14155550123';
  await sql`insert into users (tenant_id, id, first_name, created_at, updated_at)
    values (${tenant!.id}, ${id}, 'Ada', ${created}, ${created})`;
  await sql`insert into identities (tenant_id, kind, value, id, user_id, as_entered, created_at)
    values (${tenant!.id}, 'phone', ${phone}, ${app.app.newId()}, ${id}, ${phone}, ${created})`;
  const imported = await userRow('us', id);
  assert.equal(imported['is_verified'], false);

  const answer = await app.signIn({ phone }, { last_name: 'Byron' });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.is_new_user, false);
  assert.equal(answer.body.user.id, id);
  assert.equal(answer.body.user.first_name, 'Ada');
  assert.equal(answer.body.user.last_name, 'Byron');
  assert.equal(answer.body.user.identities[0].is_verified, true);
  const row = await userRow('us', id);
  assert.equal(row['is_verified'], true);
  assert.equal(row['is_active'], true);
  assert.equal(row['verification_id'], null);
  assert.deepEqual(row['created_at'], created);
  const [identity] = await sql`select verified_at from identities where user_id = ${id}`;
  assert.deepEqual(identity?.['verified_at'], app.clock.now());
  const [count] = await sql`select count(*)::int as count from users where first_name = 'Ada'`;
  assert.equal(count?.['count'], 1);
});

test('a phone outside the prefixes of the named market is refused and nothing is written', async () => {
  const before = await census(app);
  for (const [slug, phone] of [
    ['us', '+998901112233'],
    ['uz', '+14155550199'],
    ['us', '+442071838750'],
  ] as const) {
    for (const [body, headers] of [
      [{ phone }, { 'x-tenant': slug }],
      [{ phone, tenant: slug }, {}],
    ] as const) {
      const answer = await app.post(SEND, body, { headers: { ...headers } });
      assert.equal(answer.status, 403);
      assert.equal(answer.body.error, 'COUNTRY_NOT_ALLOWED');
      assert.equal(answer.body.success, false);
      assert.equal(answer.body.statusCode, 403);
    }
  }
  assert.deepEqual(await census(app), before);
});
