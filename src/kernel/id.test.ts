import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesToUuid, createIdFactory, isUuid, uuidToBytes } from './id.ts';

const zeros = (size: number) => new Uint8Array(size);
const millisecondsOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

test('the example of RFC 9562, appendix A.6', () => {
  const random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
  const createId = createIdFactory({
    now: () => new Date(0x017f22e279b0),
    randomBytes: (size) => Uint8Array.from({ length: size }, (_, index) => random[index % random.length]!),
  });
  // Its rand_a is 0xCC3; ours is a counter that starts in the lower half, so the top bit is clear.
  assert.equal(createId(), '017f22e2-79b0-74c3-98c4-dc0c0c07398f');
});

test('ids of one millisecond grow, are valid and never repeat', () => {
  const createId = createIdFactory({ now: () => new Date(1_700_000_000_000), randomBytes });
  const ids = Array.from({ length: 20_000 }, createId);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids.toSorted(), ids);
  for (const id of ids) assert.ok(isUuid(id) && id[14] === '7', id);
  assert.equal(millisecondsOf(ids[0]!), 1_700_000_000_000);
  // 20,000 ids spend the 12-bit counter a few times; the timestamp runs ahead by as many milliseconds.
  assert.ok(millisecondsOf(ids.at(-1)!) - 1_700_000_000_000 <= 6);
});

test('ids grow when the clock steps back, and follow it when it goes on', () => {
  let milliseconds = 1_700_000_000_000;
  const createId = createIdFactory({ now: () => new Date(milliseconds), randomBytes: zeros });
  const first = createId();
  milliseconds -= 3_600_000;
  const second = createId();
  milliseconds += 7_200_000;
  const third = createId();
  assert.ok(first < second && second < third);
  assert.equal(millisecondsOf(third), milliseconds);
});

test('random bytes are never used twice', () => {
  let given = 0;
  const counting = (size: number) => {
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 10 <= size; at += 10) view.setUint32(at + 6, (given += 1));
    return bytes;
  };
  const createId = createIdFactory({ now: () => new Date(1_700_000_000_000), randomBytes: counting });
  const tails = Array.from({ length: 2_000 }, () => createId().slice(-8));
  assert.equal(new Set(tails).size, tails.length);
});

test('bytes and text are the same id', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(fc.property(fc.uuid(), (uuid) => assert.equal(bytesToUuid(uuidToBytes(uuid)), uuid)));
  fc.assert(
    fc.property(bytes, (value) => {
      const uuid = bytesToUuid(value);
      if (isUuid(uuid)) assert.deepEqual(uuidToBytes(uuid), Uint8Array.from(value));
    }),
  );
});

test('order of bytes is order of text', () => {
  const createId = createIdFactory({ now: () => new Date(), randomBytes });
  const ids = Array.from({ length: 100 }, createId);
  const byBytes = ids.toSorted((a, b) => Buffer.compare(uuidToBytes(a), uuidToBytes(b)));
  assert.deepEqual(byBytes, ids);
});

test('only the canonical spelling is a UUID', () => {
  assert.equal(isUuid('017f22e2-79b0-7cc3-98c4-dc0c0c07398f'), true);
  for (const text of [
    '',
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
    '017f22e279b07cc398c4dc0c0c07398f',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n',
    '{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}',
    '017f22e2-79b0-7cc3-c8c4-dc0c0c07398f',
    '017f22e2-79b0-0cc3-98c4-dc0c0c07398f',
    '00000000-0000-0000-0000-000000000000',
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398'",
  ]) {
    assert.equal(isUuid(text), false, text);
    assert.throws(() => uuidToBytes(text), TypeError);
  }
  assert.throws(() => bytesToUuid(new Uint8Array(15)), TypeError);
});
