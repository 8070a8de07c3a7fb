import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createClientAddress, isValidCidr } from './client-address.ts';

const behindProxy = createClientAddress(['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.7']);
const direct = createClientAddress([]);
const addressOf = (...call: Parameters<typeof direct>) => behindProxy(...call).address;

test('S29 without proxies the header is never believed', () => {
  assert.deepEqual(direct('203.0.113.9', '198.51.100.1'), { address: '203.0.113.9', bucket: '203.0.113.9' });
  assert.deepEqual(direct('10.0.0.1', '198.51.100.1'), { address: '10.0.0.1', bucket: '10.0.0.1' });
});

test('S29 a stranger who sends the header is still itself', () => {
  assert.equal(addressOf('203.0.113.9', '198.51.100.1'), '203.0.113.9');
  assert.equal(addressOf('203.0.113.9', '198.51.100.1, 10.0.0.2'), '203.0.113.9');
});

test('S29 a proxy tells who is behind it, from the right, and no further', () => {
  assert.equal(addressOf('10.0.0.1', '198.51.100.1'), '198.51.100.1');
  assert.equal(addressOf('10.0.0.1', 'spoofed, 1.1.1.1, 198.51.100.1'), '198.51.100.1');
  assert.equal(addressOf('10.0.0.1', '10.9.9.9, 198.51.100.1,10.0.0.2 , 192.0.2.7'), '198.51.100.1');
  assert.equal(addressOf('2001:db8:ffff::1', '198.51.100.1, 2001:DB8:FFFF:0::2'), '198.51.100.1');
  assert.equal(addressOf('192.0.2.8', '198.51.100.1'), '192.0.2.8');
  assert.equal(addressOf('10.0.0.1', undefined), '10.0.0.1');
  assert.equal(addressOf('10.0.0.1', ''), '10.0.0.1');
  assert.equal(addressOf('10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3');
});

test('a malformed entry ends the walk at the last proxy', () => {
  for (const entry of [
    'unknown',
    '',
    ' ',
    '_hidden',
    '198.51.100',
    '198.51.100.256',
    '0198.51.100.1',
    '0x7f.0.0.1',
    '198.51.100.1 x',
    'fe80::1%eth0',
    '1.1.1.1/8',
    '::ffff:1.1.1',
    '[::1',
    '"198.51.100.1"',
    '198.51.100.1:',
    'for=198.51.100.1',
    '198.51.100.1:999999',
  ]) {
    assert.equal(addressOf('10.0.0.1', `203.0.113.1, ${entry}`), '10.0.0.1', entry);
    assert.equal(addressOf('10.0.0.1', `203.0.113.1, ${entry}, 10.0.0.2`), '10.0.0.2', entry);
  }
});

test('a port that a proxy wrote is dropped', () => {
  assert.equal(addressOf('10.0.0.1', '198.51.100.1:4711'), '198.51.100.1');
  assert.equal(addressOf('10.0.0.1', '[2001:db8::1]:4711'), '2001:db8::1');
  assert.equal(addressOf('10.0.0.1', '[2001:db8::1]'), '2001:db8::1');
});

test('one caller has one address, however it is spelled', () => {
  for (const spelling of [
    '::ffff:203.0.113.9',
    '::FFFF:203.0.113.9',
    '::ffff:cb00:7109',
    '0:0:0:0:0:ffff:cb00:7109',
    '203.0.113.9',
  ]) {
    assert.deepEqual(
      direct(spelling, undefined),
      { address: '203.0.113.9', bucket: '203.0.113.9' },
      spelling,
    );
    assert.equal(addressOf('10.0.0.1', spelling), '203.0.113.9', spelling);
  }
  assert.equal(addressOf('::ffff:10.0.0.1', '198.51.100.1'), '198.51.100.1');
  for (const spelling of ['2001:db8::1', '2001:DB8:0:0::1', '2001:0db8:0000:0000:0000:0000:0000:0001']) {
    assert.deepEqual(
      direct(spelling, undefined),
      { address: '2001:db8::1', bucket: '2001:db8:0:0::/64' },
      spelling,
    );
  }
  assert.equal(direct('fe80::1%eth0', undefined).address, 'fe80::1');
});

test('S29 an IPv6 caller is counted by its /64, whatever suffix it rotates to', () => {
  const hextet = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  const eight = fc.array(hextet, { minLength: 8, maxLength: 8 }).filter(([first]) => first !== '0');
  fc.assert(
    fc.property(eight, fc.array(hextet, { minLength: 4, maxLength: 4 }), (groups, suffix) => {
      const network = groups.slice(0, 4);
      const expected = `${network.join(':')}::/64`;
      assert.equal(direct(groups.join(':'), undefined).bucket, expected);
      assert.equal(direct([...network, ...suffix].join(':'), undefined).bucket, expected);
      assert.equal(direct(`${network.join(':')}::`, undefined).bucket, expected);
    }),
  );
  assert.equal(direct('::1', undefined).bucket, '0:0:0:0::/64');
  assert.equal(direct('1::', undefined).bucket, '1:0:0:0::/64');
  assert.equal(direct('::1:2:3:4:5', undefined).bucket, '0:0:0:1::/64');
  assert.equal(direct('2001:db8:1:2:3:4:192.0.2.1', undefined).bucket, '2001:db8:1:2::/64');
  assert.equal(direct('::192.0.2.1', undefined).bucket, '0:0:0:0::/64');
});

test('a socket without an address is still counted', () => {
  for (const remote of [undefined, '', '/run/app.sock', 'localhost']) {
    assert.deepEqual(behindProxy(remote, '198.51.100.1'), { address: 'unknown', bucket: 'unknown' });
  }
});

test('S29 whatever a stranger sends through a proxy, the address is the one the proxy saw', () => {
  const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.,[]% x"') });
  fc.assert(
    fc.property(fc.oneof(noise, fc.ipV4(), fc.ipV6(), fc.array(fc.ipV4()).map(String)), (sent) => {
      assert.equal(addressOf('10.0.0.1', `${sent}, 198.51.100.1`), '198.51.100.1');
      assert.equal(addressOf('203.0.113.9', sent), '203.0.113.9');
      assert.equal(direct('203.0.113.9', sent).bucket, '203.0.113.9');
    }),
  );
});

test('a range that trusts everybody, or none, is refused', () => {
  for (const cidr of [
    '10.0.0.0/8',
    '10.0.0.1',
    '127.0.0.1/32',
    '::1',
    '::1/128',
    '2001:db8::/32',
    'fd00::/8',
  ]) {
    assert.equal(isValidCidr(cidr), true, cidr);
  }
  for (const cidr of [
    '',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0/8',
    'true',
    'localhost',
    'fe80::1%eth0',
    '::ffff:10.0.0.0/104',
    '10.0.0.0/8 ',
    '10.0.0.0/1e1',
  ]) {
    assert.equal(isValidCidr(cidr), false, cidr);
    assert.throws(() => createClientAddress([cidr]), TypeError, cidr);
  }
});
