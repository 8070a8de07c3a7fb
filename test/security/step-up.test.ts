import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';
import { wrongCode } from '../wrong-code.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const AUTH = '/api/v1/auth';
const PASSWORD = 'violet harbour 19 mandolin';
let counter = 0;
const newEmail = (): string => `careful-${++counter}@example.com`;
const newPhone = (): string => `+1415555${String(2000 + ++counter)}`;

interface Person {
  email: string;
  token: string;
  userId: string;
  deviceId: string;
}

async function signIn(email = newEmail()): Promise<Person> {
  const { body } = await app.signIn({ email }, {}, { from: newCaller() });
  return { email, token: body.access_token, userId: body.user.id, deviceId: body.session.device_id };
}

/** Sends a code with a call, reads it, and types it with the same token. */
async function prove(
  person: Person,
  path: string,
  body: Record<string, unknown>,
  to: string,
  token = person.token,
) {
  const earlier = await app.newestMessage(to);
  const sent = await app.post(`${AUTH}${path}`, body, { token: person.token, from: newCaller() });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const code = await app.code(to, { after: earlier });
  const { verification_id } = sent.body;
  return app.post(`${AUTH}/verify-code`, { verification_id, code }, { token });
}

const stepUp = (person: Person) => prove(person, '/step-up', {}, person.email);
const identitiesOf = async (person: Person) => {
  const { body } = await app.get(`${AUTH}/me`, { token: person.token });
  return body.user.identities as { id: string; kind: string; value: string }[];
};

test('S32 a stolen access token alone changes nothing: 403 on every sensitive call, and done with a fresh proof', async () => {
  const person = await signIn();
  const other = await signIn(person.email);
  const linked = await prove(person, '/identities', { phone: newPhone() }, `+1415555${2000 + counter}`);
  assert.equal(linked.status, 200, JSON.stringify(linked.body));
  const [, second] = await identitiesOf(person);
  app.clock.advance(301);
  const calls: [string, string, unknown][] = [
    ['POST', '/identities', { email: newEmail() }],
    ['DELETE', `/identities/${second?.id}`, undefined],
    ['POST', '/change-password', { new_password: PASSWORD }],
    ['DELETE', `/devices/${other.deviceId}`, undefined],
    ['POST', '/logout', { scope: 'others' }],
    ['POST', '/logout', { scope: 'all' }],
    ['PATCH', '/me', { username: 'somebody.else' }],
  ];
  const call = ([method, path, body]: (typeof calls)[number]) =>
    app.request(method, AUTH + path, body, { token: person.token, from: newCaller() });
  for (const one of calls) {
    const answer = await call(one);
    assert.equal(answer.status, 403, `${one[0]} ${one[1]}`);
    assert.equal(answer.body.error, 'STEP_UP_REQUIRED');
    assert.equal(answer.body.next_action, 'STEP_UP');
    assert.ok(answer.body.ways.some((way: { method: string }) => way.method === 'email'));
    assert.doesNotMatch(JSON.stringify(answer.body.ways), new RegExp(person.email), 'masked');
  }
  const enveloped = await app.post('/api/auth/logout', { scope: 'all' }, { token: person.token });
  assert.equal(enveloped.status, 403);
  assert.equal(
    (await app.get(`${AUTH}/session`, { token: other.token })).status,
    200,
    'nothing has happened',
  );
  assert.equal((await identitiesOf(person)).length, 2);

  const proved = await stepUp(person);
  assert.deepEqual(proved.body.proof, { method: 'email', expires_in: 300 });
  for (const one of calls.filter(([method, path]) => `${method} ${path}` !== 'POST /logout')) {
    const answer = await call(one);
    assert.ok(answer.status === 200 || answer.status === 404, `${one[0]} ${one[1]}: ${answer.status}`);
  }
  assert.equal((await app.get(`${AUTH}/session`, { token: other.token })).status, 401);
});

test('S32 a proof counts for five minutes to the second, in its own session only, and a refresh is none', async () => {
  const person = await signIn();
  const other = await signIn(person.email);
  app.clock.advance(300);
  const others = { scope: 'others' };
  assert.equal(
    (await app.post(`${AUTH}/change-password`, { new_password: PASSWORD }, { token: person.token })).status,
    200,
  );
  app.clock.advance(1);
  assert.equal((await app.post(`${AUTH}/logout`, others, { token: person.token })).status, 403);
  assert.equal(
    (await app.get(`${AUTH}/session`, { token: other.token })).status,
    401,
    'ended by the new password',
  );

  const fresh = await signIn(person.email);
  assert.equal(
    (await app.post(`${AUTH}/logout`, others, { token: person.token })).status,
    403,
    'not its session',
  );
  app.clock.advance(301);
  const [row] = await app.databases.control
    .sql`select count(*)::int as live from sessions where user_id = ${person.userId} and revoked_at is null`;
  assert.equal(row?.['live'], 2);
  assert.equal((await app.post(`${AUTH}/logout`, others, { token: fresh.token })).status, 403);
});

test('S32 a code of a step-up is worth nothing in another session, without one, or wrong', async () => {
  const person = await signIn();
  const other = await signIn(person.email);
  app.clock.advance(301);
  const earlier = await app.newestMessage(person.email);
  const sent = await app.post(`${AUTH}/step-up`, {}, { token: person.token, from: newCaller() });
  const code = await app.code(person.email, { after: earlier });
  const { verification_id } = sent.body;
  const type = (typed: string, token?: string) =>
    app.post(`${AUTH}/verify-code`, { verification_id, code: typed }, { token });
  assert.equal((await type(code)).status, 401);
  assert.equal((await type(code, other.token)).status, 404);
  assert.equal((await app.post('/api/auth/verify-otp', { verification_id, otp: code })).status, 401);
  assert.equal(
    (await app.post(`${AUTH}/verify-code`, { email: person.email, code })).status,
    404,
    'by address alone',
  );
  const wrong = await type(wrongCode(code), person.token);
  assert.deepEqual([wrong.status, wrong.body.attempts_left], [401, 4]);
  assert.equal((await type(code, person.token)).status, 200);
  assert.equal((await type(code, person.token)).status, 404, 'once');
  const events = await app.databases.control.sql`select action from audit_events
    where action = 'session.proved' and data ->> 'method' is null and actor = ${`user:${person.userId}`}`;
  assert.equal(events.length, 1);
});

test('S32 a password proves what it protects, but no other address; wrong ones are counted with the sign-ins', async () => {
  const person = await signIn();
  const set = await app.post(`${AUTH}/change-password`, { new_password: PASSWORD }, { token: person.token });
  assert.equal(set.status, 200);
  app.clock.advance(301);
  const proved = await app.post(`${AUTH}/step-up`, { password: PASSWORD }, { token: person.token });
  assert.deepEqual(proved.body.proof, { method: 'password', expires_in: 300 });
  assert.equal((await app.post(`${AUTH}/logout`, { scope: 'others' }, { token: person.token })).status, 200);
  const link = await app.post(
    `${AUTH}/identities`,
    { email: newEmail() },
    { token: person.token, from: newCaller() },
  );
  assert.equal(link.status, 403);
  assert.deepEqual(
    link.body.ways.map((way: { method: string }) => way.method),
    ['email'],
  );
  for (let left = 9; left >= 0; left--) {
    const wrong = await app.post(`${AUTH}/step-up`, { password: 'not it at all' }, { token: person.token });
    assert.deepEqual([wrong.status, wrong.body.attempts_left], [401, left]);
  }
  assert.equal(
    (await app.post(`${AUTH}/step-up`, { password: PASSWORD }, { token: person.token })).status,
    429,
  );
  const login = await app.post(
    `${AUTH}/login`,
    { email: person.email, password: PASSWORD },
    { from: newCaller() },
  );
  assert.equal(login.status, 429);
});

test('S32 an administrator needs more than the mailbox', async () => {
  const person = await signIn();
  const phone = newPhone();
  assert.equal((await prove(person, '/identities', { phone }, phone)).status, 200);
  await app.databases.control.sql`update users set role = 'admin' where id = ${person.userId}`;
  app.clock.advance(301);
  assert.equal((await stepUp({ ...person, email: phone })).status, 200, 'the phone comes first');
  app.clock.advance(301);
  const [email] = await identitiesOf(person);
  const proved = await prove(person, '/step-up', { identity_id: email?.id }, person.email);
  assert.equal(proved.status, 200);
  const refused = await app.post(`${AUTH}/logout`, { scope: 'others' }, { token: person.token });
  assert.equal(refused.status, 403);
  assert.deepEqual(
    refused.body.ways.map((way: { method: string }) => way.method),
    ['phone'],
  );
});

test('S33 a change that nobody proves leaves the account as it is; a third party never loses theirs', async () => {
  const person = await signIn();
  const victim = await signIn();
  const [mine] = await identitiesOf(person);
  const before = await identitiesOf(person);
  const typo = newEmail();
  const sent = await app.post(
    `${AUTH}/identities`,
    { email: typo, replaces: mine?.id },
    { token: person.token, from: newCaller() },
  );
  assert.equal(sent.status, 200);
  assert.deepEqual(await identitiesOf(person), before);
  app.clock.advance(601);
  const code = await app.code(typo);
  const late = await app.post(
    `${AUTH}/verify-code`,
    { verification_id: sent.body.verification_id, code },
    { token: person.token },
  );
  assert.equal(late.status, 410);
  const again = await app.post(`${AUTH}/resend-otp`, { verification_id: sent.body.verification_id });
  assert.equal(again.status, 410, 'begun anew, with a new proof');
  assert.deepEqual(await identitiesOf(person), before);

  await stepUp(person);
  const taken = await app.post(
    `${AUTH}/identities`,
    { email: victim.email },
    { token: person.token, from: newCaller() },
  );
  assert.deepEqual([taken.status, taken.body.error], [409, 'ALREADY_REGISTERED']);
  assert.deepEqual(
    (await identitiesOf(victim)).map(({ value }) => value),
    [victim.email],
  );
});

/** The newest link in the inbox of an address. */
async function linkFor(to: string): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(to)}&limit=1`);
    const link = /https:\/\/auth\.test(\/not-me\/[\w-]+)/.exec(body[0]?.text ?? '')?.[1];
    if (link !== undefined) return link;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no link for ${to}`);
}
const press = async (path: string, method = 'POST') => {
  const response = await fetch(app.url + path, {
    method,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    ...(method === 'POST' ? { body: '' } : {}),
  });
  return { status: response.status, text: await response.text() };
};

test('S33 the old address is told of its change and undoes it for 72 hours, once, by a button and not by a look', async () => {
  const owner = await signIn();
  const calm = await signIn(owner.email);
  const [old] = await identitiesOf(owner);
  const thief = newEmail();
  const changed = await prove(owner, '/identities', { email: thief, replaces: old?.id }, thief);
  assert.deepEqual(
    changed.body.user.identities.map(({ value }: { value: string }) => value),
    [thief],
  );
  const stolen = await signIn(thief);
  assert.equal(stolen.userId, owner.userId);
  await app.post(`${AUTH}/change-password`, { new_password: PASSWORD }, { token: stolen.token });
  const later = await signIn(thief);

  const path = await linkFor(owner.email);
  app.clock.advance(72 * 3600 - 60);
  const look = await press(path, 'GET');
  assert.equal(look.status, 200);
  assert.match(look.text, /<form method="post">/);
  assert.deepEqual(
    (await app.databases.control.sql`select value from identities where user_id = ${owner.userId}`).map(
      (row) => row['value'],
    ),
    [thief],
  );

  const both = await Promise.all([press(path), press(path)]);
  assert.deepEqual(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 404],
    'once',
  );
  const [state] = await app.databases.control.sql`
    select array(select value from identities where user_id = u.id) as addresses, password_hash, live_sessions
    from users u where id = ${owner.userId}`;
  assert.deepEqual(
    state,
    { addresses: [owner.email], password_hash: null, live_sessions: 0 },
    'the change session, all since',
  );
  for (const token of [owner.token, stolen.token, later.token, calm.token]) {
    assert.equal((await app.get(`${AUTH}/session`, { token })).status, 401);
  }
  const events = await app.databases.control.sql`select data ->> 'address' as address from audit_events
    where action = 'notice.disputed' and actor = ${`user:${owner.userId}`}`;
  assert.deepEqual([...events], [{ address: 'given_back' }]);
});

test('S33 a link is over after 72 hours, and one with a changed letter was never made', async () => {
  const owner = await signIn();
  const [old] = await identitiesOf(owner);
  const next = newEmail();
  await prove(owner, '/identities', { email: next, replaces: old?.id }, next);
  const path = await linkFor(owner.email);
  const changed = `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`;
  assert.equal((await press(changed)).status, 404);
  app.clock.advance(72 * 3600);
  assert.equal((await press(path, 'GET')).status, 404);
  assert.equal((await press(path)).status, 404);
  assert.deepEqual(
    (await app.databases.control.sql`select value from identities where user_id = ${owner.userId}`).map(
      (row) => row['value'],
    ),
    [next],
  );
});

test('S33 two accounts that prove one address at once: the first has it; two removals at once leave one address', async () => {
  const [left, right] = [await signIn(), await signIn()];
  const email = newEmail();
  const begin = async (person: Person) => {
    const earlier = await app.newestMessage(email);
    const sent = await app.post(`${AUTH}/identities`, { email }, { token: person.token, from: newCaller() });
    assert.equal(sent.status, 200, JSON.stringify(sent.body));
    const code = await app.code(email, { after: earlier });
    return () =>
      app.post(
        `${AUTH}/verify-code`,
        { verification_id: sent.body.verification_id, code },
        { token: person.token },
      );
  };
  const first = await begin(left);
  app.clock.advance(61);
  const second = await begin(right);
  const answers = await Promise.all([first(), second()]);
  assert.equal(
    answers.filter(({ status }) => status === 200).length,
    1,
    JSON.stringify(answers.map(({ body }) => body)),
  );
  const winner = answers[0]?.status === 200 ? left : right;
  const ids = await identitiesOf(winner);
  assert.equal(ids.length, 2);
  const removals = await Promise.all(
    ids.map(({ id }) =>
      app.request('DELETE', `${AUTH}/identities/${id}`, undefined, { token: winner.token }),
    ),
  );
  assert.deepEqual(
    removals.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409],
  );
  assert.equal(removals.find(({ status }) => status === 409)?.body.error, 'LAST_IDENTITY');
  assert.equal((await identitiesOf(winner)).length, 1);
});

test('S33 an address that was never proved is taken away untold, and does not come back proved', async () => {
  const { sql } = app.databases.control;
  const owner = await signIn();
  const stranger = newEmail();
  const [added] = await sql`
    insert into identities (tenant_id, kind, value, id, user_id, as_entered, created_at)
    select tenant_id, kind, ${stranger}, gen_random_uuid(), user_id, ${stranger}, created_at
    from identities where value = ${owner.email} returning id`;
  const path = `${AUTH}/identities/${added?.['id']}`;
  const before = await app.newestMessage(owner.email);
  assert.equal((await app.request('DELETE', path, undefined, { token: owner.token })).status, 200);
  const link = await linkFor(owner.email);
  assert.notEqual(await app.newestMessage(owner.email), before, 'the owner is told');
  assert.equal(await app.newestMessage(stranger), undefined, 'and no stranger, who could end their sessions');
  assert.equal((await press(link)).status, 200);
  const [back] = await sql`select verified_at from identities where value = ${stranger}`;
  assert.deepEqual(back, { verified_at: null });
});
