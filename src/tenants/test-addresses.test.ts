import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecrets } from '../kernel/secrets.ts';
import { settingsIssues } from './policy.ts';
import {
  keepTestCodes,
  openTestCode,
  sealTestCodes,
  testAddressesOf,
  withoutTestCodes,
} from './test-addresses.ts';

const secrets = createSecrets(['kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq']);
const entry = { address: 'Reviewer@Example.com', code: '738291', last_day: '2026-03-31', uses: 5 };
let id = 0;
const newId = () => `00000000-0000-7000-8000-00000000000${++id}`;
const kept = (tenantId = 'one') => sealTestCodes({ test_addresses: [entry] }, tenantId, secrets, newId);
const issuesOf = (...entries: unknown[]) =>
  settingsIssues({ test_addresses: entries }).map(({ path, message }) => `${path} ${message}`);

test('a code is kept sealed, for its tenant and its address in canonical form', () => {
  const settings = kept();
  assert.doesNotMatch(JSON.stringify(settings), /738291/);
  const [address] = testAddressesOf(settings.test_addresses);
  assert.ok(address);
  assert.deepEqual([address.kind, address.value], ['email', 'Reviewer@example.com'.toLowerCase()]);
  assert.equal(openTestCode(address, 'one', secrets), '738291');
  assert.equal(openTestCode(address, 'two', secrets), undefined);
  assert.equal(openTestCode({ ...address, value: 'else@example.com' }, 'one', secrets), undefined);
  assert.deepEqual(settingsIssues(settings), []);
});

test('what people see has no code, and written back it keeps the one there is', () => {
  const before = kept();
  const shown = withoutTestCodes(before);
  assert.deepEqual(Object.keys(shown.test_addresses?.[0] ?? {}), ['address', 'last_day', 'uses']);
  assert.deepEqual(keepTestCodes(before, shown), before);
  const anew = keepTestCodes(before, { test_addresses: [{ ...entry, code: '204816' }] });
  assert.ok(!('sealed_code' in (anew.test_addresses?.[0] ?? {})));
});

test('a sealed code from outside is dropped', () => {
  const [stolen] = kept().test_addresses ?? [];
  assert.ok(stolen);
  const after = keepTestCodes({}, { test_addresses: [{ ...stolen, address: 'victim@example.com' }] });
  assert.deepEqual(after.test_addresses, [
    { address: 'victim@example.com', last_day: '2026-03-31', uses: 5 },
  ]);
});

test('what is wrong is told with its place', () => {
  assert.deepEqual(issuesOf(entry), []);
  assert.deepEqual(issuesOf({ ...entry, address: '+1 415 555 0150' }), []);
  for (const code of ['000000', '123456', '654321', '7777777', '890123'])
    assert.match(
      issuesOf({ ...entry, code })[0] ?? '',
      /^\/test_addresses\/0\/code is among the first/,
      code,
    );
  assert.match(issuesOf({ ...entry, code: '12345' })[0] ?? '', /^\/test_addresses\/0\/code /);
  assert.match(issuesOf({ ...entry, code: undefined })[0] ?? '', /\/code is needed/);
  assert.match(issuesOf({ ...entry, address: '0150' })[0] ?? '', /\/address must be/);
  assert.match(
    issuesOf(entry, { ...entry, address: 'reviewer@example.com' })[0] ?? '',
    /\/1\/address .*twice/,
  );
  assert.match(issuesOf({ ...entry, last_day: 'tomorrow' })[0] ?? '', /\/last_day /);
  assert.match(issuesOf({ ...entry, last_day: '2026-02-30' })[0] ?? '', /\/last_day /);
  for (const uses of [0, 1001, 1.5]) assert.match(issuesOf({ ...entry, uses })[0] ?? '', /\/uses /);
  // Whatever came in survives the keeping, to be refused by the schema.
  for (const odd of [null, 'x', 7, { address: 5 }])
    assert.ok(settingsIssues(keepTestCodes({}, { test_addresses: [odd] as never })).length > 0);
});
