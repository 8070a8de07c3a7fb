import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDisposableEmail } from './disposable-email.ts';

test('mailboxes that anybody opens are known, below their domain, too; those of people are not', () => {
  for (const email of ['a@mailinator.com', 'a@x.y.mailinator.com', 'a@yopmail.com']) {
    assert.equal(isDisposableEmail(email), true, email);
  }
  // A domain that only ends in the same letters is somebody else's.
  const people = ['gmail.com', 'mail.ru', 'privaterelay.appleid.com', 'duck.com', 'the-mailinator.com'];
  for (const domain of people) assert.equal(isDisposableEmail(`a@${domain}`), false, domain);
  assert.equal(isDisposableEmail('mailinator.com@gmail.com'), false);
});
