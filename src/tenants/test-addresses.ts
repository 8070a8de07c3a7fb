import { type Static, Type } from 'typebox';
import { parseEmail } from '../kernel/email.ts';
import { parsePhone } from '../kernel/phone.ts';
import { openText, type Secrets } from '../kernel/secrets.ts';
import { textOf } from '../web/schema-issues.ts';

/**
 * Addresses with a fixed code, for those who review an app and cannot receive one. As they come in they have a `code`;
 * as they are kept it is sealed.
 */
export const testAddressesSchema = Type.Array(
  Type.Object(
    {
      /** A phone number with its country code, or an e-mail address; as kept: in its canonical form. */
      address: Type.String({ minLength: 3, maxLength: 320 }),
      /** Left out where the address has one already: that one stays, and its uses go on counting. */
      code: Type.Optional(Type.String(textOf('^[0-9]{6,10}$', 'must be 6 to 10 digits'))),
      /** The last day on which it works (UTC). */
      last_day: Type.String({ format: 'date' }),
      /** How many sign-ins it is good for. */
      uses: Type.Integer({ minimum: 1, maximum: 1000 }),
      /** By which its uses are counted: new whenever there is a new code. Never taken from outside. */
      id: Type.Optional(Type.String({ format: 'uuid' })),
      sealed_code: Type.Optional(Type.String({ maxLength: 200 })),
    },
    { additionalProperties: false },
  ),
  { maxItems: 20 },
);

export type TestAddressSettings = Static<typeof testAddressesSchema>;
type Entry = TestAddressSettings[number];
type WithTestAddresses = { test_addresses?: TestAddressSettings };

/** An address with a fixed code, ready to be looked up. */
export interface TestAddress {
  id: string;
  kind: 'phone' | 'email';
  /** Canonical, as an identity's. */
  value: string;
  sealedCode: string;
  /** YYYY-MM-DD, the day itself included. */
  lastDay: string;
  uses: number;
}

/** The address in its canonical form; undefined when it is neither a phone nor an e-mail address. */
export function readTestAddress(address: string): { kind: 'phone' | 'email'; value: string } | undefined {
  if (address.includes('@')) {
    const parsed = parseEmail(address);
    return parsed.ok ? { kind: 'email', value: parsed.email } : undefined;
  }
  const parsed = parsePhone(address);
  return parsed.ok ? { kind: 'phone', value: parsed.phone } : undefined;
}

/** The entries of kept settings. */
export function testAddressesOf(settings: TestAddressSettings = []): readonly TestAddress[] {
  return settings.flatMap(({ address, id, sealed_code: sealedCode, last_day: lastDay, uses }) => {
    const read = readTestAddress(address);
    return read && id !== undefined && sealedCode !== undefined
      ? [{ ...read, id, sealedCode, lastDay, uses }]
      : [];
  });
}

/** What the schema cannot say of them: a JSON pointer and a sentence each. */
export function testAddressIssues(settings: TestAddressSettings = []): { path: string; message: string }[] {
  const seen = new Set<string>();
  return settings.flatMap(({ address, code, sealed_code: sealed }, index) => {
    const path = `/test_addresses/${index}`;
    const read = readTestAddress(address);
    if (!read) {
      const message = 'must be a phone number with its country code, or an e-mail address';
      return [{ path: `${path}/address`, message }];
    }
    const isTwice = seen.has(read.value);
    seen.add(read.value);
    if (isTwice) return [{ path: `${path}/address`, message: 'stands here twice' }];
    if (code === undefined && sealed === undefined)
      return [{ path: `${path}/code`, message: 'is needed: this address has none yet' }];
    if (code !== undefined && isGuessable(code))
      return [{ path: `${path}/code`, message: 'is among the first that anybody would guess' }];
    return [];
  });
}

/** One digit over and over, or a run such as 123456 or 987654: tried first by whoever tries. */
function isGuessable(code: string): boolean {
  const steps = new Set(
    Array.from(code.slice(1)).map((digit, index) => (10 + Number(digit) - Number(code[index])) % 10),
  );
  return steps.size === 1 && [0, 1, 9].includes([...steps][0] ?? 0);
}

/**
 * New settings as they came in, with the codes that stay: an entry without a `code` keeps the one its address has. What
 * else an entry says of a sealed code is not believed.
 */
export function keepTestCodes<T extends WithTestAddresses>(before: WithTestAddresses, after: T): T {
  if (!Array.isArray(after.test_addresses)) return after;
  const known = new Map(
    (before.test_addresses ?? []).map((entry) => [readTestAddress(entry.address)?.value, entry]),
  );
  const entries = after.test_addresses.map((entry): Entry => {
    // Not checked yet: anything may stand here.
    if (typeof entry !== 'object' || entry === null || typeof entry.address !== 'string') return entry;
    const { id: _id, sealed_code: _sealed, ...given } = entry;
    const old = known.get(readTestAddress(entry.address)?.value);
    if (given.code !== undefined || old?.id === undefined || old.sealed_code === undefined) return given;
    return { ...given, id: old.id, sealed_code: old.sealed_code };
  });
  return { ...after, test_addresses: entries };
}

/** Settings as people may see them: the codes, sealed or not, are left out. */
export function withoutTestCodes<T extends WithTestAddresses>(settings: T): T {
  if (!Array.isArray(settings.test_addresses)) return settings;
  const shown = settings.test_addresses.map(({ address, last_day, uses }) => ({ address, last_day, uses }));
  return { ...settings, test_addresses: shown };
}

/** Settings as they are written: codes sealed for this tenant and this address, addresses canonical. */
export function sealTestCodes<T extends WithTestAddresses>(
  settings: T,
  tenantId: string,
  secrets: Secrets,
  newId: () => string,
): T {
  if (settings.test_addresses === undefined) return settings;
  const entries = settings.test_addresses.map(({ code, ...entry }): Entry => {
    const address = readTestAddress(entry.address)?.value ?? entry.address;
    if (code === undefined) return { ...entry, address };
    const sealed = secrets.seal(code, contextOf(tenantId, address)).toString('base64');
    return { ...entry, address, id: newId(), sealed_code: sealed };
  });
  return { ...settings, test_addresses: entries };
}

/** The fixed code; undefined when it was sealed with a secret that is gone, or for another tenant or address. */
export function openTestCode(entry: TestAddress, tenantId: string, secrets: Secrets): string | undefined {
  return openText(secrets, Buffer.from(entry.sealedCode, 'base64'), contextOf(tenantId, entry.value));
}

function contextOf(tenantId: string, address: string): string {
  return `test-code:${tenantId}:${address}`;
}
