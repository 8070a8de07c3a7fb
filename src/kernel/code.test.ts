import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateCode } from './code.ts';

const CODES = 1_000_000;
const DIGITS = 6;
// Chance passes each of these less than once in 10^9 draws: the test does not flake.
const LIMIT_9_DEGREES = 66;
const LIMIT_999_DEGREES = 1_305;

test('S24 a code keeps its leading zeros and its length', () => {
  assert.equal(
    generateCode(6, () => 42),
    '000042',
  );
  assert.equal(
    generateCode(4, () => 0),
    '0000',
  );
  for (let length = 4; length <= 10; length += 1) {
    assert.match(generateCode(length), new RegExp(`^\\d{${length}}$`));
    assert.equal(
      generateCode(length, (bound) => bound - 1),
      '9'.repeat(length),
    );
  }
});

test('a length that is no code is a fault', () => {
  for (const length of [0, 3, 11, 4.5, Number.NaN]) assert.throws(() => generateCode(length), RangeError);
});

describe('S24 a million codes are uniform (chi-square)', () => {
  test('those of the CSPRNG are', () => {
    assert.deepEqual(
      unevenParts(() => generateCode(DIGITS)),
      [],
    );
  });

  // The same measure must turn red on the faults it is there for, drawn from a seeded generator.
  test('the measure sees the bias of a remainder', () => {
    const random = createSeededRandom(1);
    const biased = (bound: number) => (random() >>> 8) % bound;
    assert.notDeepEqual(
      unevenParts(() => generateCode(DIGITS, biased)),
      [],
    );
  });

  test('the measure sees codes that never begin with zero', () => {
    const random = createSeededRandom(2);
    const withoutZero = (bound: number) => bound / 10 + (random() % (bound - bound / 10));
    assert.ok(unevenParts(() => generateCode(DIGITS, withoutZero)).includes('digit 1'));
  });

  test('the measure leaves a good seeded generator alone', () => {
    const random = createSeededRandom(3);
    const uniform = (bound: number) => Math.floor((random() / 2 ** 32) * bound);
    assert.deepEqual(
      unevenParts(() => generateCode(DIGITS, uniform)),
      [],
    );
  });
});

/** Draws a million codes; names each digit, and each half, whose counts chance cannot explain. */
function unevenParts(draw: () => string): string[] {
  const digits = Array.from({ length: DIGITS }, () => new Uint32Array(10));
  const halves = [new Uint32Array(1_000), new Uint32Array(1_000)];
  for (let drawn = 0; drawn < CODES; drawn += 1) {
    const code = draw();
    assert.equal(code.length, DIGITS);
    for (let place = 0; place < DIGITS; place += 1) digits[place]![code.charCodeAt(place) - 48]! += 1;
    halves[0]![Number(code.slice(0, 3))]! += 1;
    halves[1]![Number(code.slice(3))]! += 1;
  }
  return [
    ...digits.flatMap((counts, place) => (chiSquare(counts) > LIMIT_9_DEGREES ? `digit ${place + 1}` : [])),
    ...halves.flatMap((counts, half) => (chiSquare(counts) > LIMIT_999_DEGREES ? `half ${half + 1}` : [])),
  ];
}

function chiSquare(counts: Uint32Array): number {
  const expected = CODES / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** mulberry32: 32 bits at a time, the same for the same seed. */
function createSeededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
