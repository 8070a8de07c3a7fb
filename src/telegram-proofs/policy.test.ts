import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecrets } from '../kernel/secrets.ts';
import { MATCH_CHOICES, matchChoices, matchNumber } from './policy.ts';

const secrets = createSecrets(['seven'.repeat(7)]);

test('S11 the right number is as likely at each place among the others, and all are of two digits', () => {
  const links = 4500;
  const places = Array.from({ length: MATCH_CHOICES }, () => 0);
  for (let link = 0; link < links; link++) {
    const choices = matchChoices(secrets, 'tenant', String(link));
    assert.equal(new Set(choices).size, MATCH_CHOICES);
    assert.ok(choices.every((number) => number >= 10 && number <= 99));
    const place = choices.indexOf(matchNumber(secrets, 'tenant', String(link)));
    places[place] = (places[place] ?? 0) + 1;
  }
  const expected = links / MATCH_CHOICES;
  const deviation = places.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // Chi-squared, 8 degrees of freedom: 26.1 is passed once in a thousand; these links are always the same.
  assert.ok(deviation < 26.1, `${places.join(' ')}: ${deviation}`);
});
