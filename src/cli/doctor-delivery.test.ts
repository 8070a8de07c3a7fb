import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFailure, checkQueue, checkRefusals } from './doctor-delivery.ts';

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

test('a provider that refuses whatever it is given is named; one that took a single message is not', () => {
  const counts = { provider: 'smtp', channel: 'email', sent: 0, refused: 3 };
  const twoTenants = [counts, { ...counts, refused: 4 }];
  assert.deepEqual(
    checkRefusals(twoTenants, 3600).map(({ level, subject, message }) => ({ level, subject, message })),
    [
      {
        level: 'warn',
        subject: 'provider smtp',
        message: 'refused all 7 messages by email that it was given in the last 60 min',
      },
    ],
  );
  assert.match(checkRefusals(twoTenants, 3600)[0]?.remedy ?? '', /provider test email .* --provider smtp/);
  assert.deepEqual(checkRefusals([...twoTenants, { ...counts, sent: 1, refused: 0 }], 3600), []);
  assert.deepEqual(
    checkRefusals([counts, { ...counts, channel: 'sms' }], 3600),
    [],
    'four or less tell nothing',
  );
});
