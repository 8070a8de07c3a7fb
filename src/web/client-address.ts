import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';

export type ClientAddress = {
  /** The caller's IP address in its one canonical spelling, or 'unknown'. */
  address: string;
  /** What budgets per caller count by: the IPv4 address, the IPv6 /64, or 'unknown'. */
  bucket: string;
};

const UNKNOWN: ClientAddress = { address: 'unknown', bucket: 'unknown' };

// Some proxies write the port too: 192.0.2.1:4711, [2001:db8::1]:4711.
const WITH_PORT = /^(?:\[([0-9a-f:.]{2,45})\](?::\d{1,5})?|([0-9.]{7,15}):\d{1,5})$/i;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * Finds who is calling: the socket's address, or what the configured proxies say about it.
 *
 * X-Forwarded-For is read from the right, and only past an address that is a configured proxy: each proxy
 * appends the address it saw, so everything left of the first stranger is a stranger's word. A malformed
 * entry ends the walk at the last proxy. Without proxies the header is never looked at. An IPv4 address in
 * IPv6 clothes is the IPv4 address. A socket without an address is 'unknown', and still counted.
 *
 * `trustedProxies` are those `isValidCidr` accepts; throws TypeError on any other.
 */
export function createClientAddress(
  trustedProxies: readonly string[],
): (remoteAddress: string | undefined, xForwardedFor: string | undefined) => ClientAddress {
  const proxies = new BlockList();
  for (const cidr of trustedProxies) {
    const range = parseCidr(cidr);
    if (range === undefined) throw new TypeError(`not a range of proxies: ${cidr}`);
    proxies.addSubnet(range.address, range.prefix, range.family);
  }
  const hasProxies = trustedProxies.length > 0;
  const isProxy = (address: string) => proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');

  return (remoteAddress, xForwardedFor) => {
    // A link-local peer is told with its interface: fe80::1%eth0.
    let address = canonicalAddress(remoteAddress?.split('%', 1)[0] ?? '');
    if (address === undefined) return UNKNOWN;
    if (!hasProxies || xForwardedFor === undefined) return { address, bucket: bucketOf(address) };

    let end = xForwardedFor.length;
    while (end > 0 && isProxy(address)) {
      const comma = xForwardedFor.lastIndexOf(',', end - 1);
      const previous = forwardedAddress(xForwardedFor.slice(comma + 1, end));
      if (previous === undefined) break;
      address = previous;
      end = comma;
    }
    return { address, bucket: bucketOf(address) };
  };
}

/**
 * True for a range of proxies that may be trusted: `10.0.0.0/8`, `2001:db8::/32` or one address. A range of
 * everything (/0) would let every caller choose its address; IPv4 in IPv6 clothes is written as IPv4.
 */
export function isValidCidr(cidr: string): boolean {
  return parseCidr(cidr) !== undefined;
}

function parseCidr(cidr: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', length, ...rest] = cidr.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  if (version === 6 && canonicalIpv6(address).startsWith('::ffff:')) return undefined;
  const longest = version === 4 ? 32 : 128;
  if (length !== undefined && !/^[1-9]\d{0,2}$/.test(length)) return undefined;
  const prefix = length === undefined ? longest : Number(length);
  return prefix > longest ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

function forwardedAddress(entry: string): string | undefined {
  const trimmed = entry.trim();
  const withPort = WITH_PORT.exec(trimmed);
  return canonicalAddress(withPort?.[1] ?? withPort?.[2] ?? trimmed);
}

function canonicalAddress(address: string): string | undefined {
  if (isIPv4(address)) return address;
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const canonical = canonicalIpv6(address);
  return MAPPED.exec(canonical)?.[1] ?? canonical;
}

function canonicalIpv6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

// One subscriber holds at least a /64: counting single IPv6 addresses would count nothing.
function bucketOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    // Only ::192.0.2.1 is spelled with dots, and all of its /64 is zero however many groups that is.
    groups.push(...Array.from({ length: 8 - groups.length - last.length }, () => '0'), ...last);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
