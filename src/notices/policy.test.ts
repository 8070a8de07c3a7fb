import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecrets } from '../kernel/secrets.ts';
import { linkToken, readLinkToken, type Recipient, recipientsOf } from './policy.ts';

const email = { kind: 'email', value: 'a@example.com', as_entered: 'a@example.com' } as const;
const phone = { kind: 'phone', value: '+14155550100', as_entered: '+14155550100' } as const;
const telegram = { kind: 'telegram', value: '7', as_entered: '7' } as const;

test('S48 the owner is told by another channel than the one used, for free where that is possible', () => {
  assert.deepEqual(recipientsOf('new_device', [phone, email], 'phone:+14155550100', undefined), [email]);
  assert.deepEqual(recipientsOf('new_device', [phone, email], 'email:a@example.com', undefined), [phone]);
  assert.deepEqual(recipientsOf('new_device', [phone, email, telegram], 'email:a@example.com', undefined), [
    telegram,
  ]);
  assert.deepEqual(recipientsOf('new_device', [email], 'email:a@example.com', undefined), [email]);
  assert.deepEqual(recipientsOf('new_device', [phone], 'phone:+14155550100', undefined), []);
  assert.deepEqual(recipientsOf('password_changed', [phone, email], 'email:a@example.com', undefined), [
    phone,
    email,
  ]);
  assert.deepEqual(recipientsOf('account_locked', [phone], 'phone:+14155550100', undefined), [phone]);
});

test('an address that was taken away is told, a phone too', () => {
  assert.deepEqual(recipientsOf<Recipient>('identity_replaced', [email], null, phone), [phone, email]);
});

test('a token names its notice only in its own tenant and whole', () => {
  const secrets = createSecrets(['0123456789abcdef0123456789abcdef']);
  const tenants = [
    { id: '01890000-0000-7000-8000-000000000001' },
    { id: '01890000-0000-7000-8000-000000000002' },
  ];
  const notice = '01890000-0000-7000-8000-00000000000f';
  const token = linkToken(secrets, tenants[1]?.id ?? '', notice);
  assert.deepEqual(readLinkToken(secrets, token, tenants), { tenant: tenants[1], noticeId: notice });
  assert.equal(readLinkToken(secrets, token, tenants.slice(0, 1)), undefined);
  const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  assert.equal(readLinkToken(secrets, changed, tenants), undefined);
  assert.equal(readLinkToken(secrets, token.slice(1), tenants), undefined);
  assert.equal(
    readLinkToken(createSecrets(['another-secret-of-32-bytes-or-more!']), token, tenants),
    undefined,
  );
});
