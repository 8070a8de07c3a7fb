import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTestAddresses, obstacleOf } from './test-address-checks.ts';

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

test('what keeps a test address from being reached is told: another market, a closed country, no provider', () => {
  const phone = { kind: 'phone', value: '+14155550150' } as const;
  const obstacle = (
    tenant: { kind?: 'application' | 'market'; phonePrefixes?: string[]; hosts?: string[] } = {},
    app: { leadsTo?: string; isOpen?: boolean; plan?: string[] } = {},
  ) =>
    obstacleOf(
      {
        slugOf: () => app.leadsTo ?? 'default',
        isOpen: () => app.isOpen ?? true,
        planOf: () => app.plan ?? ['sms'],
      },
      { slug: 'default', kind: 'application', phonePrefixes: [], hosts: [], ...tenant },
      phone,
    );
  assert.equal(obstacle(), undefined);
  assert.equal(
    obstacle({}, { leadsTo: 'us' }),
    'works where the request names "default": else it leads to "us"',
  );
  assert.equal(obstacle({ hosts: ['auth.school.test'] }, { leadsTo: 'us' }), undefined, 'its host names it');
  assert.match(obstacle({ kind: 'market', phonePrefixes: ['+998'] }) ?? '', /takes numbers of \+998 only/);
  assert.match(obstacle({}, { plan: [] }) ?? '', /no effect: no provider/);
  assert.match(obstacle({}, { isOpen: false }) ?? '', /no effect: its country is not open.*tolls\.countries/);
});
