import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { wrongCode } from '../wrong-code.ts';

const SEND = '/api/v1/auth/send-verification';
const CHALLENGE = '/api/v1/auth/challenge';

/** What the provider says next, and what it was asked. */
let says: () => Response | Promise<Response> = () => Response.json({ success: false });
const asked: { url: string; form: URLSearchParams }[] = [];
const provider: typeof fetch = async (url, init) => {
  asked.push({ url: new Request(url).url, form: new URLSearchParams(await new Response(init?.body).text()) });
  return says();
};

const env = {
  FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '0',
  FIRSTPROOF_CAPTCHA_PROVIDER: 'hcaptcha',
  FIRSTPROOF_CAPTCHA_SITE_KEY: 'shown-to-all',
  FIRSTPROOF_CAPTCHA_SECRET: 'told-to-the-provider',
};
let app: TestApp;
let lenient: TestApp;
let people = 0;

before(async () => {
  app = await createTestApp({ env, fetch: provider });
  lenient = await app.replica({ env: { ...env, FIRSTPROOF_CAPTCHA_WHEN_AWAY: 'allow' } });
});
after(async () => {
  await lenient.close();
  await app.close();
});

interface Work {
  solution?: string;
  token?: string;
}

function send(
  server: TestApp,
  from: string,
  { solution, token }: Work,
  email = `human-${++people}@example.com`,
) {
  const headers = {
    ...(solution === undefined ? {} : { 'x-challenge-solution': solution }),
    ...(token === undefined ? {} : { 'x-captcha-response': token }),
  };
  return server.post(SEND, { email }, { from, headers });
}

const solved = async (from: string): Promise<string> =>
  solve((await app.get(CHALLENGE, { from })).body.challenge);

function assertAsked(answer: Answer): void {
  assert.deepEqual([answer.status, answer.body.error], [429, 'PROOF_OF_WORK_REQUIRED']);
  assert.deepEqual(answer.body.captcha, { provider: 'hcaptcha', site_key: 'shown-to-all' });
  assert.ok(answer.body.challenge.signature);
  assert.doesNotMatch(JSON.stringify(answer.body), /told-to-the-provider/);
}

test('C1 with a CAPTCHA neither the work nor the token is enough alone, and the provider is asked about both', async () => {
  const from = '203.0.113.1';
  says = () => Response.json({ success: true });
  assertAsked(await send(app, from, {}));
  assertAsked(await send(app, from, { token: 'genuine' }));
  const solution = await solved(from);
  assertAsked(await send(app, from, { solution }));
  assert.equal(asked.length, 0, 'the provider is not asked before the work is done');
  const sent = await send(app, from, { solution, token: 'genuine' });
  assert.equal(sent.status, 200, 'a solution without its token was not used up');
  const [{ url, form } = assert.fail()] = asked;
  assert.equal(url, 'https://api.hcaptcha.com/siteverify');
  assert.deepEqual(
    [...form],
    [
      ['secret', 'told-to-the-provider'],
      ['response', 'genuine'],
    ],
  );

  says = () => Response.json({ success: false, 'error-codes': ['invalid-input-response'] });
  assertAsked(await send(app, from, { solution: await solved(from), token: 'made up' }));
});

test('C1 while the CAPTCHA cannot be checked nothing is sent', async () => {
  const from = '203.0.113.2';
  const ways: (() => Response | Promise<Response>)[] = [
    () => Promise.reject(new Error('connection refused')),
    () => new Response('Bad gateway', { status: 502 }),
    () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    () => Response.json({ success: false, 'error-codes': ['invalid-input-secret'] }),
    () => Response.json(null),
  ];
  for (const way of ways) {
    says = way;
    const email = `waits-${++people}@example.com`;
    const answer = await send(app, from, { solution: await solved(from), token: 'genuine' }, email);
    assert.deepEqual([answer.status, answer.body.error], [503, 'OVERLOADED'], JSON.stringify(answer.body));
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.equal(await app.newestMessage(email), undefined);
  }
});

test('C11 where the operator lets people on meanwhile, their wrong codes count for the hour and do not close', async () => {
  const from = '203.0.113.3';
  const email = 'trusted@example.com';
  says = () => Promise.reject(new Error('connection refused'));
  const sent = await send(lenient, from, { solution: await solved(from), token: 'genuine' }, email);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const { verification_id } = sent.body;
  const code = wrongCode(await app.code(email));
  const answer = await app.post('/api/v1/auth/verify-code', { verification_id, code }, { from });
  assert.equal(answer.body.error, 'INVALID_CODE');
  const [row] = await app.databases.control.sql<{ failed: number; failures_in_a_row: number }[]>`
    select cardinality(failed_at) as failed, failures_in_a_row from address_budgets where value = ${email}`;
  assert.deepEqual({ ...row }, { failed: 1, failures_in_a_row: 0 });
});
