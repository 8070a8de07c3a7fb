import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizeOfSms } from './segments.ts';

const size = (text: string) => {
  const { encoding, segments, used, places } = sizeOfSms(text);
  return [encoding, segments, used, places];
};

test('160 signs of GSM-7 are one segment, 161 are two of 153', () => {
  assert.deepEqual(size(''), ['GSM-7', 1, 0, 160]);
  assert.deepEqual(size('a'.repeat(160)), ['GSM-7', 1, 160, 160]);
  assert.deepEqual(size('a'.repeat(161)), ['GSM-7', 2, 161, 306]);
  assert.deepEqual(size('a'.repeat(306)), ['GSM-7', 2, 306, 306]);
  assert.deepEqual(size('a'.repeat(307)), ['GSM-7', 3, 307, 459]);
});

test('every sign of the default alphabet takes one place, every one of the extension table two', () => {
  for (const sign of '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà')
    assert.deepEqual(size(sign), ['GSM-7', 1, 1, 160], sign);
  for (const sign of '\f^{}\\[~]|€') assert.deepEqual(size(sign), ['GSM-7', 1, 2, 160], sign);
  assert.deepEqual(size('€'.repeat(80)), ['GSM-7', 1, 160, 160]);
  assert.deepEqual(size('€'.repeat(81)), ['GSM-7', 2, 162, 306]);
});

test('an escape is never parted from its sign: 153 places hold 76 signs of the extension table', () => {
  assert.deepEqual(size('€'.repeat(152)), ['GSM-7', 2, 304, 306]);
  assert.deepEqual(size('€'.repeat(153)), ['GSM-7', 3, 306, 459]);
});

test('one sign outside of GSM-7 makes the whole text UCS-2: 70, then 67 in each', () => {
  for (const sign of ['ç', 'ê', '’', '`', '\t', '\u00a0', 'я', 'ا', 'አ'])
    assert.deepEqual(size(sign), ['UCS-2', 1, 1, 70], sign);
  assert.deepEqual(size(`${'a'.repeat(69)}я`), ['UCS-2', 1, 70, 70]);
  assert.deepEqual(size(`${'a'.repeat(70)}я`), ['UCS-2', 2, 71, 134]);
  assert.deepEqual(size('я'.repeat(134)), ['UCS-2', 2, 134, 134]);
  assert.deepEqual(size('я'.repeat(135)), ['UCS-2', 3, 135, 201]);
  // In UCS-2 the signs of the extension table take one place.
  assert.deepEqual(size('€я'), ['UCS-2', 1, 2, 70]);
});

test('a sign of two code units takes two places and is never halved', () => {
  assert.deepEqual(size('🎓'.repeat(35)), ['UCS-2', 1, 70, 70]);
  assert.deepEqual(size('🎓'.repeat(36)), ['UCS-2', 2, 72, 134]);
  // 67 places hold 33 of them.
  assert.deepEqual(size('🎓'.repeat(66)), ['UCS-2', 2, 132, 134]);
  assert.deepEqual(size('🎓'.repeat(67)), ['UCS-2', 3, 134, 201]);
});
