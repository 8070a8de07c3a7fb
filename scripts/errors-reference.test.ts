import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withErrorsTable } from './errors-reference.ts';

const errors = {
  INTERNAL: { status: 500, message: 'Ours.' },
  INVALID_CODE: { status: 401, message: 'Not a | b.' },
};

test('errors stand by status, and what surrounds the table stays', () => {
  const first = withErrorsTable('# Errors\n\nBefore.\n', errors);
  assert.match(first, /Before\.\n\n<!-- errors/);
  assert.ok(first.indexOf('| 401 | `INVALID_CODE` | Not a \\| b. |') < first.indexOf('| 500 | `INTERNAL`'));
  const again = withErrorsTable(`${first}\nAfter.\n`, { INTERNAL: errors.INTERNAL });
  assert.match(again, /Before\.[^]*After\./);
  assert.equal(again.includes('INVALID_CODE'), false);
});
