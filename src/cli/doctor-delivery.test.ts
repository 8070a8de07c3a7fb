import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFailure, checkQueue } from './doctor-delivery.ts';

const waiting = { channel: 'sms', waiting: 12, oldest_seconds: 240, unattended: 0 };

test('a queue that nobody attends to is warned of, with its channels and its age; one that moves is not', () => {
  assert.deepEqual(checkQueue('us', []), {
    level: 'ok',
    subject: 'delivery of us',
    message: 'nothing waits',
  });
  assert.equal(checkQueue('us', [waiting]).message, '12 on their way');
  const standing = checkQueue('us', [
    { ...waiting, unattended: 11 },
    { ...waiting, channel: 'email', oldest_seconds: 40, unattended: 2 },
  ]);
  assert.equal(standing.level, 'warn');
  assert.match(standing.message, /stands: 11 by sms, 2 by email wait, the oldest for 4 min/);
});

test('a provider that fails is named, since when, and when it was last met', () => {
  const finding = checkFailure({ provider: 'eskiz', since_seconds: 8000, last_seconds: 42 });
  assert.equal(finding.subject, 'provider eskiz');
  assert.match(finding.message, /fails since 2 h, last met 42 s ago/);
});
