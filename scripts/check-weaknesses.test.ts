import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weaknessesIn } from './check-weaknesses.ts';

const report = (severity: string): string =>
  JSON.stringify({
    metadata: { vulnerabilities: { [severity]: 1 } },
    vulnerabilities: {
      weak: {
        name: 'weak',
        severity,
        range: '<2.0.1',
        via: [{ title: 'Reads too far', url: 'https://a.test/1' }],
      },
    },
  });

test('S51 high and critical weaknesses are told with what is known of them, lesser ones are not', () => {
  const line = 'weak <2.0.1: critical: Reads too far https://a.test/1';
  assert.deepEqual(weaknessesIn(report('critical')), { found: [line] });
  assert.deepEqual(weaknessesIn(report('high')), { found: [line.replace('critical', 'high')] });
  assert.deepEqual(weaknessesIn(report('moderate')), { found: [] });
});

test('S51 a registry that gives no answer is no clean bill of health', () => {
  assert.deepEqual(weaknessesIn(JSON.stringify({ message: '405 Method Not Allowed' })), {
    unanswered: '405 Method Not Allowed',
  });
  assert.deepEqual(weaknessesIn('npm error network\n'), { unanswered: 'npm error network' });
  assert.deepEqual(weaknessesIn('{}'), { unanswered: 'the answer holds no figures' });
});
