import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const SEND = '/api/v1/auth/send-verification';
const VERIFY = '/api/v1/auth/verify-code';

/** Sends to every writing in turn. Gives the account each proof opened, or the refusal. */
async function prove(
  kind: 'phone' | 'email',
  writings: readonly string[],
  stored: string,
): Promise<string[]> {
  const outcomes: string[] = [];
  for (const writing of writings) {
    app.clock.advance(601);
    const newest = await app.newestMessage(stored);
    const sent = await app.post(SEND, { [kind]: writing });
    if (sent.status !== 200) {
      outcomes.push(`${sent.status} ${sent.body.error}`);
      continue;
    }
    const code = await app.code(stored, { after: newest });
    const answer = await app.post(VERIFY, { [kind]: writing, code });
    outcomes.push(answer.status < 300 ? answer.body.user[kind] : `${answer.status} ${answer.body.error}`);
  }
  return outcomes;
}

const count = async (database: string | null) =>
  (await app.databases.of(database).sql`select count(*)::int as count from users`)[0]?.['count'];

test('S34 every writing of one phone is one account', async () => {
  const writings = [
    '+14155552671',
    '+1 (415) 555-2671',
    '+1-415-555-2671',
    '+1.415.555.2671',
    '+١٤١٥٥٥٥٢٦٧١',
    '+１４１５５５５２６７１',
    '+1415٥٥٥２６７1',
    '+14155552671\u200b',
    '\u202a+14155552671\u202c',
    ' +1\u00a0415\u2009555 2671 ',
  ];
  const outcomes = await prove('phone', writings, '+14155552671');
  for (const [index, outcome] of outcomes.entries()) {
    assert.ok(
      outcome === '+14155552671' || outcome === '400 INVALID_REQUEST',
      `${JSON.stringify(writings[index])}: ${outcome}`,
    );
  }
  assert.ok(outcomes.filter((outcome) => outcome.startsWith('+')).length >= 6, outcomes.join('\n'));
  assert.equal(await count('us'), 1);
});

test('S34 forms that reach no single handset, or that two libraries read differently, are refused', async () => {
  const before = await count(null);
  for (const phone of [
    '+14155552671 ext. 5',
    '+14155552671;ext=5',
    '+14155552671x5',
    '+1415555CALL',
    '+5215512345678',
    '+1415555267',
    '+141555526711',
    '14155552671',
    '004155552671',
    '+0014155552671',
    '++14155552671',
    '+1415555267\u0661a',
    '+14155552671,+14155552672',
    '+14155552671\r\n+14155552672',
    '+19005550000\0',
    '',
    '+',
    'tel:',
  ]) {
    const answer = await app.post(SEND, { phone });
    assert.equal(answer.status, 400, JSON.stringify(phone));
    assert.equal(answer.body.issues[0].path, '/phone', JSON.stringify(phone));
  }
  assert.equal(await count(null), before);
});

test('S34 a trunk zero or a mobile prefix inside a number leads to the number that is dialled', async () => {
  for (const [written, dialled] of [
    ['+4407911123456', '+447911123456'],
    ['+5491123456789', '+5491123456789'],
  ] as const) {
    const [outcome] = await prove('phone', [written], dialled);
    assert.equal(outcome, dialled);
  }
});

test('S34 every writing of one e-mail address is one account, and mail goes to the address that was typed', async () => {
  const before = await count(null);
  for (const writing of ['One@Example.com', 'one@EXAMPLE.COM', 'ONE@example.com', ' one@example.com ']) {
    app.clock.advance(601);
    const to = `${writing.trim().split('@')[0]}@example.com`;
    const newest = await app.newestMessage(to);
    assert.equal((await app.post(SEND, { email: writing })).status, 200);
    const answer = await app.post(VERIFY, {
      email: 'one@example.com',
      code: await app.code(to, { after: newest }),
    });
    assert.ok(answer.status < 300);
    assert.equal(answer.body.user.email, 'one@example.com');
  }
  assert.equal(await count(null), Number(before) + 1);
  const outcomes = await prove(
    'email',
    ['x@bücher.example', 'x@xn--bcher-kva.example', 'x@BÜCHER.example'],
    'x@xn--bcher-kva.example',
  );
  assert.deepEqual(outcomes, Array(3).fill('x@xn--bcher-kva.example'));
  assert.equal(await count(null), Number(before) + 2);
});

test('S34 look-alikes that fold into another address are refused, and different mailboxes stay different', async () => {
  for (const email of [
    'one@example.com\r\nBcc: two@example.com',
    'one＠example.com',
    'onｅ@example.com',
    'on\u0435@example.com',
    '\u212aate@example.com',
    'm\u0131ke@example.com',
    'me\u017f@example.com',
    '\ufb00@example.com',
    'one@exam\u3002com\u3002',
    '"one"@example.com',
    'one@example.com (comment)',
    'one@example.com,two@example.com',
    '<one@example.com>',
    'One <one@example.com>',
    'one@[127.0.0.1]',
    'one@127.0.0.1',
    'one@localhost',
    'one@@example.com',
    'one@example..com',
    '.one@example.com',
    `${'a'.repeat(65)}@example.com`,
    'one@example.com\0',
  ]) {
    const answer = await app.post(SEND, { email });
    assert.equal(answer.status, 400, JSON.stringify(email));
    assert.equal(answer.body.issues[0].path, '/email', JSON.stringify(email));
  }
  // An invisible character in a domain leads to the domain that mail would go to.
  assert.deepEqual(await prove('email', ['unseen@example\u200b.com'], 'unseen@example.com'), [
    'unseen@example.com',
  ]);
  const different = ['a.b@example.com', 'ab@example.com', 'ab+tag@example.com'];
  const before = await count(null);
  for (const email of different) assert.deepEqual(await prove('email', [email], email), [email]);
  assert.equal(await count(null), Number(before) + 3);
});

test('S34 the budgets of an address count all of its writings together', async () => {
  app.clock.advance(601);
  await app.post(SEND, { phone: '+14155552672' });
  for (const phone of ['+1 415 555 2672', '+1-(415)-555-2672', '+１４１５５５５２６７２']) {
    assert.equal((await app.post(SEND, { phone })).body.error, 'RESEND_TOO_SOON');
  }
  await app.post(SEND, { email: 'Counted@example.com' });
  assert.equal((await app.post(SEND, { email: 'COUNTED@EXAMPLE.com' })).body.error, 'RESEND_TOO_SOON');
});
