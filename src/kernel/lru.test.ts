import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLru } from './lru.ts';

test('the least recently used entry goes first', () => {
  const lru = createLru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  assert.equal(lru.get('a'), 1);
  lru.set('c', 3);
  assert.equal(lru.get('b'), undefined);
  assert.equal(lru.get('a'), 1);
  lru.set('c', 4);
  assert.equal(lru.size, 2);
  assert.equal(lru.get('c'), 4);
});

test('an entry that was used goes in its turn, too', () => {
  const lru = createLru<number, number>(1);
  for (let key = 0; key < 5; key += 1) {
    lru.set(key, key);
    assert.equal(lru.get(key), key);
    assert.equal(lru.size, 1);
  }
});

test('delete and clear', () => {
  const lru = createLru<string, number>(2);
  lru.set('a', 1);
  assert.equal(lru.delete('a'), true);
  assert.equal(lru.delete('a'), false);
  lru.set('b', 0);
  assert.equal(lru.get('b'), 0);
  lru.clear();
  assert.equal(lru.size, 0);
  assert.equal(lru.get('b'), undefined);
});

test('a capacity that bounds nothing is a fault', () => {
  for (const capacity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => createLru(capacity), RangeError);
  }
});

test('it does what a list ordered by use does', () => {
  const key = fc.integer({ min: 0, max: 6 });
  const operation = fc.record({ kind: fc.constantFrom('get', 'set', 'delete'), key, value: fc.integer() });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(operation, { maxLength: 60 }),
      (capacity, operations) => {
        const lru = createLru<number, number>(capacity);
        let model: [number, number][] = [];
        for (const { kind, key, value } of operations) {
          const known = model.find(([existing]) => existing === key);
          if (kind === 'get') assert.equal(lru.get(key), known?.[1]);
          if (kind === 'get' && known === undefined) continue;
          model = model.filter(([existing]) => existing !== key);
          if (kind === 'get' && known !== undefined) model.push(known);
          if (kind === 'set') {
            lru.set(key, value);
            model = [...model, [key, value] as [number, number]].slice(-capacity);
          }
          if (kind === 'delete') assert.equal(lru.delete(key), known !== undefined);
          assert.equal(lru.size, model.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});
