import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

test('S28 a flood of sign-ins is turned away beyond a bound, and everything else goes on', async () => {
  const signedIn = await app.signIn({ email: 'calm@example.net' });
  const token = signedIn.body.access_token as string;
  const flood = Array.from({ length: 300 }, (_, index) =>
    app.post(
      '/api/v1/auth/login',
      { email: `flood${index}@example.net`, password: 'violet-Harbour-42' },
      { from: `198.51.${100 + Math.floor(index / 200)}.${index % 200}` },
    ),
  );
  const session = await app.get('/api/v1/auth/session', { token });
  assert.equal(session.status, 200);
  const refreshed = await app.post('/api/v1/auth/refresh', { refresh_token: signedIn.body.refresh_token });
  assert.equal(refreshed.status, 200);
  const answers = await Promise.all(flood);
  const overloaded = answers.filter((answer) => answer.status === 503);
  assert.ok(overloaded.length > 100, `${overloaded.length} turned away`);
  for (const answer of overloaded) {
    assert.equal(answer.body.error, 'OVERLOADED');
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.ok(
    answers.some((answer) => answer.status === 404),
    'what had room was answered',
  );
  // Nothing was counted against those who were turned away.
  const { sql } = app.databases.control;
  const counted = await sql`select sum(count)::int as count from buckets where key like 'password:%'`;
  assert.equal(counted[0]?.['count'], answers.length - overloaded.length);
});

test('S28 one caller has so many passwords judged in an hour and no more, whatever else is wrong with the request', async () => {
  const small = await app.replica({ env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '5' } });
  try {
    const from = '198.51.100.28';
    const register = (index: number, more: object = {}) =>
      small.post(
        '/api/v1/auth/register',
        {
          email: `weak${index}@example.net`,
          password: `4@8({[<69&#!1/|0$5+7%2${index}`,
          role: 'admin',
          ...more,
        },
        { from },
      );
    const statuses: number[] = [];
    for (let index = 0; index < 22; index++) statuses.push((await register(index)).status);
    assert.deepEqual(statuses.slice(0, 20), Array(20).fill(400));
    assert.deepEqual(statuses.slice(20), [429, 429]);
    const others = await small.post('/api/v1/auth/register', {
      email: 'strong@example.net',
      password: 'violet-Harbour-42',
    });
    assert.equal(others.status, 202, 'another caller');
  } finally {
    await small.close();
  }
});
