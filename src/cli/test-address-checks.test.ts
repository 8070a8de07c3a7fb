import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTestAddresses } from './test-address-checks.ts';

const entry = { id: '1', kind: 'phone', value: '+14155550150', sealedCode: 'x', uses: 5 } as const;
const check = (...lastDays: string[]) =>
  checkTestAddresses(
    { slug: 'us', policy: { testAddresses: lastDays.map((lastDay) => ({ ...entry, lastDay })) } },
    new Date('2026-03-10T12:00:00Z'),
  );

test('fixed codes are shouted about while they work, and named when they are over; addresses masked', () => {
  assert.deepEqual(check(), []);
  const [works] = check('2026-03-10');
  assert.equal(works?.level, 'warn');
  assert.match(
    works?.message ?? '',
    /^FIXED CODES ARE ACCEPTED without any proof for .*0150 until 2026-03-10$/,
  );
  assert.doesNotMatch(works?.message ?? '', /14155550150/);
  const [over] = check('2026-03-09');
  assert.match(over?.message ?? '', /past their last day/);
  assert.match(over?.remedy ?? '', /tenant test-address remove us/);
  assert.equal(check('2026-03-09', '2026-03-11').length, 2);
});
