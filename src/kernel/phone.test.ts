import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  getCountries,
  getCountryCallingCode,
  getExampleNumber,
  isValidPhoneNumber,
} from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { isPhoneCountry, maskPhone, parsePhone, parseTelegramContactPhone } from './phone.ts';

const canonical = (input: string, country?: string) => {
  const result = parsePhone(input, country);
  return result.ok ? result.phone : result.reason;
};

test('every spelling of one number is the same identity', () => {
  for (const input of [
    '+14155552671',
    '+1 (415) 555-2671',
    '+1.415.555.2671',
    ' +1 415 555 2671 ',
    '+1\u00a0415\u2011555\u20132671',
    '+١٤١٥٥٥٥٢٦٧١',
    '+۱۴۱۵۵۵۵۲۶۷۱',
    '+１４１５５５５２６７１',
    '+1415٥٥٥２６71',
    '+14155552671\u200b',
    '\u202a+1 415-555-2671\u202c',
  ]) {
    assert.equal(canonical(input), '+14155552671', JSON.stringify(input));
  }
});

test('a trunk prefix or an old mobile prefix folds into the number of today', () => {
  assert.equal(canonical('+4407911123456'), '+447911123456');
  assert.equal(canonical('+44 (0) 7911 123456'), '+447911123456');
  assert.equal(canonical('+541115 23456789'), '+5491123456789');
  assert.equal(canonical('+86013800138000'), '+8613800138000');
});

test('an extension is refused, never dropped', () => {
  for (const input of [
    '+1 (415) 555-2671 ext. 5',
    '+14155552671;ext=5',
    '+14155552671x5',
    '+14155552671#5',
    '+14155552671,5',
    '+79161234567 доб. 5',
    '4155552671 x5',
  ]) {
    assert.equal(canonical(input, 'US'), 'extension', input);
  }
});

test('what the libraries disagree about, or would guess at, is refused', () => {
  for (const input of [
    '＋14155552671',
    '+1415555CALL',
    'tel:+14155552671',
    'call +14155552671',
    '++14155552671',
    '+1415+5552671',
    '+1415555267१',
    '+14155552671\n',
    '+14155552671\0',
    '',
    '+',
    `+1${' '.repeat(70)}4155552671`,
  ]) {
    assert.equal(canonical(input, 'US'), 'not_a_number', JSON.stringify(input));
  }
});

test('a number that no plan knows is refused', () => {
  for (const input of [
    '+5215512345678',
    '+15551234567',
    '+0014155552671',
    '+1',
    '+1234567',
    `+1${'4'.repeat(20)}`,
  ]) {
    assert.equal(canonical(input), 'invalid_phone', input);
  }
});

test('a national form needs the country it is dialled from', () => {
  assert.equal(canonical('90 123-45-67'), 'country_required');
  assert.equal(canonical('901234567', 'XX'), 'country_required');
  assert.equal(canonical('90 123-45-67', 'UZ'), '+998901234567');
  assert.equal(canonical('998901234567', 'UZ'), '+998901234567');
  assert.equal(canonical('09354328338', 'IR'), '+989354328338');
  assert.equal(canonical('۰۹۳۵۴۳۲۸۳۳۸', 'IR'), '+989354328338');
  assert.equal(canonical('8 (916) 123-45-67', 'RU'), '+79161234567');
  assert.equal(canonical('00989121234567', 'IR'), '+989121234567');
  assert.equal(canonical('112', 'US'), 'not_a_number');
  assert.equal(canonical('+998901234567', 'US'), '+998901234567');
});

test('the country and the type are told', () => {
  const us = { ok: true, phone: '+14155552671', country: 'US', type: 'fixed_line_or_mobile' };
  assert.deepEqual(parsePhone('+14155552671'), us);
  assert.deepEqual(parsePhone('+998901234567'), {
    ok: true,
    phone: '+998901234567',
    country: 'UZ',
    type: 'mobile',
  });
  assert.deepEqual(parsePhone('+80012345678'), {
    ok: true,
    phone: '+80012345678',
    country: '001',
    type: 'toll_free',
  });
  assert.equal(isPhoneCountry('UZ'), true);
  assert.equal(isPhoneCountry('uz'), false);
});

test('a Telegram contact comes with or without the plus', () => {
  const phoneOf = (input: string) => {
    const result = parseTelegramContactPhone(input);
    return result.ok ? result.phone : result.reason;
  };
  assert.equal(phoneOf('998901234567'), '+998901234567');
  assert.equal(phoneOf('+998901234567'), '+998901234567');
  assert.equal(phoneOf('09354328338'), 'invalid_phone');
  assert.equal(phoneOf('＋998901234567'), 'not_a_number');
  assert.equal(phoneOf('14155552671x5'), 'extension');
});

test('one canonical form: canon(canon(x)) = canon(x), valid and E.164', () => {
  const countries = getCountries();
  const exampleNumbers = countries.flatMap((country) => getExampleNumber(country, examples)?.number ?? []);
  assert.ok(exampleNumbers.length > 200);
  for (const number of exampleNumbers) assert.equal(canonical(number), number);

  const digits = fc.stringMatching(/^[0-9]{4,14}$/);
  // A number of the country's plan with other last digits, and what may be dialled before its national part.
  const likelyNumber = fc
    .tuple(
      fc.constantFrom(...countries),
      fc.stringMatching(/^[0-9]{0,5}$/),
      fc.constantFrom('', '', '0', '1', '9'),
    )
    .map(([country, tail, trunk]) => {
      const national = getExampleNumber(country, examples)?.nationalNumber ?? '12345678';
      const head = national.slice(0, national.length - tail.length);
      return `+${getCountryCallingCode(country)}${trunk}${head}${tail}`;
    });
  const anything = fc.oneof(
    likelyNumber,
    digits,
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'+0123456789 -().x٣۴５\u200b＋') }),
  );
  let accepted = 0;
  const property = fc.property(
    anything,
    fc.option(fc.constantFrom(...countries), { nil: undefined }),
    (input, country) => {
      const result = parsePhone(input, country);
      if (!result.ok) return;
      accepted += 1;
      assert.match(result.phone, /^\+[1-9]\d{6,14}$/);
      assert.equal(isValidPhoneNumber(result.phone), true);
      assert.equal(canonical(result.phone), result.phone);
      assert.equal(canonical(result.phone, country), result.phone);
      const contact = parseTelegramContactPhone(result.phone.slice(1));
      assert.equal(contact.ok && contact.phone, result.phone);
    },
  );
  fc.assert(property, { numRuns: 2_500 });
  assert.ok(accepted > 250, `only ${accepted} inputs were accepted: the property says too little`);
});

test('a mask leaks the calling code and the last digits only', () => {
  assert.equal(maskPhone('+14155552671'), '+1 ••• ••• 2671');
  assert.equal(maskPhone('+998901234567'), '+998 ••• ••• 4567');
  assert.equal(maskPhone('+447911123456'), '+44 ••• ••• 3456');
  assert.equal(maskPhone('+2901234567'), '+290 ••• ••• 67');
  assert.equal(maskPhone('not a phone'), '•••');
  for (const country of getCountries()) {
    const phone = getExampleNumber(country, examples)?.number ?? `+${getCountryCallingCode(country)}12345678`;
    const [code = '', ...rest] = maskPhone(phone).split(' ');
    assert.equal(code, `+${getCountryCallingCode(country)}`);
    assert.ok(rest.join('').replaceAll('•', '').length <= 4);
  }
});
