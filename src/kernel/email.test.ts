import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskEmail, parseEmail } from './email.ts';

const canonical = (input: string) => {
  const result = parseEmail(input);
  return result.ok ? result.email : result.reason;
};

test('case and surrounding spaces never make a second identity', () => {
  for (const input of [
    'ann@example.com',
    'Ann@Example.COM',
    ' ANN@example.com ',
    'ann@EXAMPLE。com',
    'ann@exam\u00adple.com',
  ]) {
    assert.equal(canonical(input), 'ann@example.com', JSON.stringify(input));
  }
  assert.deepEqual(parseEmail(' Ann.Lee@Example.COM'), {
    ok: true,
    email: 'ann.lee@example.com',
    asEntered: 'Ann.Lee@example.com',
  });
});

test('dots and plus tags are kept: they are different mailboxes elsewhere', () => {
  assert.equal(canonical('an.n@gmail.com'), 'an.n@gmail.com');
  assert.equal(canonical('ann+news@gmail.com'), 'ann+news@gmail.com');
  assert.equal(canonical("o'neil_x-1{a}@mail.example.org"), "o'neil_x-1{a}@mail.example.org");
});

test('an international domain is its ASCII form', () => {
  assert.equal(canonical('info@bücher.example'), 'info@xn--bcher-kva.example');
  assert.equal(canonical('info@BÜCHER.example'), 'info@xn--bcher-kva.example');
  assert.equal(canonical('info@XN--BCHER-KVA.example'), 'info@xn--bcher-kva.example');
  assert.equal(canonical('info@почта.рф'), 'info@xn--80a1acny.xn--p1ai');
});

test('letters that fold into other letters are refused', () => {
  for (const input of [
    'mar\u212a@example.com', // the Kelvin sign lower-cases to k
    'mıke@example.com',
    'ſam@example.com',
    'oﬀice@example.com',
    'İan@example.com',
    'ann＠example.com',
    'ｅve@example.com',
    'eve@ｅxample.com',
    'eve@\u212aexample.com',
    'zoë@example.com',
    'a\u200bnn@example.com',
    'ann\u0000@example.com',
    'ann@example.com\r\nBcc: eve@example.org',
    'ann@exa\tmple.com',
  ]) {
    assert.equal(parseEmail(input).ok, false, JSON.stringify(input));
  }
  assert.equal(canonical('mar\u212a@example.com'), 'unsupported_characters');
  assert.equal(canonical('mıke@example.com'), 'unsupported_characters');
});

test('quotes, comments, routes and lists are refused', () => {
  for (const input of [
    '"ann"@example.com',
    '"a@b"@example.com',
    'ann(comment)@example.com',
    'Ann <ann@example.com>',
    '@a:ann@example.com',
    'ann@example.com,eve@example.org',
    'ann;eve@example.com',
    'a b@example.com',
    '.ann@example.com',
    'ann.@example.com',
    'a..b@example.com',
    'ann',
    '@example.com',
    'ann@',
    '',
    'ann@eve@example.com',
    'a\\b@example.com',
  ]) {
    assert.equal(canonical(input), 'syntax', input);
  }
});

test('a domain is a name of at least two labels, never an address', () => {
  for (const domain of [
    '[127.0.0.1]',
    '127.0.0.1',
    '0x7f.1',
    '1.2.3.0x7f',
    '[IPv6:::1]',
    'localhost',
    'example.com.',
    '.example.com',
    'a..com',
    '-a.com',
    'a-.com',
    'a_b.com',
    'ex%61mple.com',
    'example.com/x',
    'example.com:25',
    'example.com?x',
    'xn--a.com',
    'xn--.com',
    `${'a'.repeat(64)}.com`,
    'exa mple.com',
    '１.２.３.４',
  ]) {
    assert.equal(parseEmail(`ann@${domain}`).ok, false, domain);
  }
});

test('the limits of RFC 5321 are exact', () => {
  const domain = (length: number) => `${`${'d'.repeat(49)}.`.repeat(5).slice(0, length - 4)}.com`;
  assert.equal(parseEmail(`${'a'.repeat(64)}@example.com`).ok, true);
  assert.equal(canonical(`${'a'.repeat(65)}@example.com`), 'too_long');
  assert.equal(parseEmail(`${'a'.repeat(64)}@${domain(189)}`).ok, true);
  assert.equal(canonical(`${'a'.repeat(64)}@${domain(190)}`), 'too_long');
  assert.equal(canonical(`${'a'.repeat(600)}@example.com`), 'too_long');
});

test('one canonical form: canon(canon(x)) = canon(x), in printable ASCII', () => {
  const text = fc.oneof(
    fc.emailAddress(),
    fc
      .tuple(
        fc.emailAddress(),
        fc.constantFrom('ü', 'ß', '。', 'K', 'İ', '\u200d', '＠', 'A', '.', ' ', '\u00ad', '١'),
      )
      .chain(([email, extra]) =>
        fc.nat(email.length).map((at) => email.slice(0, at) + extra + email.slice(at)),
      ),
    fc.string({ unit: fc.constantFrom(...'aA.@-+ üK。x1'), maxLength: 20 }),
    fc.string({ unit: 'binary' }).map((domain) => `a@${domain}.com`),
  );
  let accepted = 0;
  const property = fc.property(text, (input) => {
    const result = parseEmail(input);
    if (!result.ok) return;
    accepted += 1;
    assert.match(result.email, /^[\x21-\x7e]+@[a-z0-9.-]+$/);
    assert.equal(result.email, result.email.toLowerCase());
    assert.equal(result.asEntered.toLowerCase(), result.email);
    assert.ok(result.email.length <= 254);
    assert.equal(canonical(result.email), result.email);
    assert.equal(canonical(result.asEntered), result.email);
    assert.equal(canonical(result.email.toUpperCase()), result.email);
  });
  fc.assert(property, { numRuns: 2_500 });
  assert.ok(accepted > 500, `only ${accepted} inputs were accepted: the property says too little`);
});

test('a mask leaks the domain and at most one letter', () => {
  assert.equal(maskEmail('ann.lee@example.com'), 'a•••@example.com');
  assert.equal(maskEmail('ann@example.com'), 'a•••@example.com');
  assert.equal(maskEmail('al@example.com'), '•••@example.com');
  assert.equal(maskEmail('not an address'), '•••');
});
