import fc from 'fast-check';
import type { FieldSchema, Operation } from './api-document.ts';

/** A request as it will be sent, readable in a report. */
export interface HostileRequest {
  operation: Operation;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Real things of the server under test, by the name of the field they belong in. */
export type Treasury = Record<string, readonly string[]>;

const HOSTILE_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\r\nSet-Cookie: a=b',
  "' OR '1'='1",
  "'; DROP TABLE users; --",
  '$1',
  '%00',
  '%',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '../../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  '00000000-0000-0000-0000-000000000000',
  '\u202e\u200b\ufeff',
  '\ud83d\ude00',
  '\ud800',
  'ﬀ\u212aı',
  '١٢٣٤٥٦',
  'NaN',
  'null',
  '1e309',
  '-1',
  'A'.repeat(44),
  'A'.repeat(5000),
  'e\u0301'.repeat(300),
];

const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme-composite', maxLength: 40 }),
);

const hostileValue = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  {
    weight: 2,
    arbitrary: fc.constantFrom(null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, [], {}, [[]], { $ne: null }),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 9 }) },
);

/** A value that the schema would take, or nearly; real ones where the treasury has some. */
function fitting(name: string, schema: FieldSchema, treasury: Treasury): fc.Arbitrary<unknown> {
  const known = treasury[name];
  const choices: fc.Arbitrary<unknown>[] = [];
  if (known) choices.push(fc.constantFrom(...known));
  if (schema.enum) choices.push(fc.constantFrom(...schema.enum));
  if (schema.properties) choices.push(objectOf(schema, treasury));
  if (schema.anyOf) choices.push(fc.oneof(...schema.anyOf.map((one) => fitting(name, one, treasury))));
  if (schema.type === 'integer') choices.push(fc.integer({ min: 0, max: 100_000 }));
  if (schema.type === 'null') choices.push(fc.constant(null));
  if (schema.type === 'boolean') choices.push(fc.boolean());
  if (schema.type === 'string' && !known)
    choices.push(fc.string({ minLength: 1, maxLength: schema.maxLength ?? 20 }));
  return choices.length > 0 ? fc.oneof(...choices) : hostileValue;
}

/** An object of the schema's fields, most of them fitting, and now and then one that nobody asked for. */
function objectOf(schema: FieldSchema, treasury: Treasury): fc.Arbitrary<Record<string, unknown>> {
  const required = new Set(schema.required);
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const value = fc.oneof(
      { weight: 6, arbitrary: fitting(name, field, treasury) },
      { weight: 1, arbitrary: hostileValue },
    );
    const left = fc.constant(undefined);
    model[name] = required.has(name)
      ? fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: left })
      : fc.oneof({ weight: 1, arbitrary: value }, { weight: 2, arbitrary: left });
  }
  const strange = fc.option(fc.tuple(hostileText, hostileValue), { freq: 12, nil: undefined });
  return fc
    .tuple(fc.record(model), strange)
    .map(([fields, extra]) => (extra ? { ...fields, [extra[0] || 'x']: extra[1] } : fields));
}

function bodyOf(operation: Operation, treasury: Treasury): fc.Arbitrary<string | undefined> {
  const { body } = operation;
  if (operation.method === 'GET') return fc.constant(undefined);
  if (!body) return fc.option(fc.json(), { nil: undefined });
  return fc.oneof(
    { weight: 12, arbitrary: objectOf(body, treasury).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 12 }) },
    { weight: 1, arbitrary: hostileText },
    { weight: 1, arbitrary: hostileValue.map((value) => JSON.stringify(value)) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 7, max: 400 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
    },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

// What a client can put into a header at all; the rest is sent by raw sockets in raw-requests.test.ts.
const headerText = hostileText.map((text) =>
  text
    .replace(/[^\x20-\x7e\x80-\xff]/g, '?')
    .trim()
    .slice(0, 2000),
);

function headersOf(treasury: Treasury): fc.Arbitrary<Record<string, string>> {
  const keep = fc.constantFrom(...(treasury['bearer'] ?? ['']));
  const maybe = (usual: fc.Arbitrary<string>, weight: number): fc.Arbitrary<string | undefined> =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      { weight, arbitrary: usual },
      { weight: 1, arbitrary: headerText },
    );
  return fc
    .record({
      authorization: fc.oneof(
        { weight: 6, arbitrary: keep.map((token) => `Bearer ${token}`) },
        {
          weight: 1,
          arbitrary: keep.map((token) => `Basic ${Buffer.from(`a:${token}`).toString('base64')}`),
        },
        { weight: 1, arbitrary: headerText.map((text) => `Bearer ${text}`) },
        { weight: 1, arbitrary: headerText },
        { weight: 2, arbitrary: fc.constant(undefined) },
      ),
      'x-api-key': maybe(fc.constantFrom(...(treasury['api_key'] ?? [''])), 4),
      'x-tenant': maybe(fc.constantFrom('default', 'us', 'uz'), 2),
      'content-type': fc.oneof(
        { weight: 14, arbitrary: fc.constant('application/json') },
        { weight: 1, arbitrary: fc.constantFrom('application/x-www-form-urlencoded', 'text/plain', '') },
        { weight: 1, arbitrary: headerText },
      ),
      'idempotency-key': maybe(fc.constantFrom('key-1', 'key-2', '"key-3"'), 2),
      'x-forwarded-for': maybe(fc.ipV4(), 6),
      'accept-language': maybe(fc.constantFrom('ru', 'en;q=0.5,*;q=0'), 1),
      'user-agent': maybe(fc.constantFrom('Mozilla/5.0 Firefox/1'), 1),
      origin: maybe(fc.constantFrom('https://auth.test', 'null'), 1),
      cookie: maybe(
        keep.map((token) => `__Host-firstproof=${token}`),
        1,
      ),
    })
    .map(
      (headers) =>
        Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as Record<
          string,
          string
        >,
    );
}

function pathOf(operation: Operation, treasury: Treasury): fc.Arbitrary<string> {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const segment = (name: string): fc.Arbitrary<string> =>
    fc
      .oneof(fc.constantFrom(...(treasury[name] ?? ['x'])), hostileText)
      // Nothing, one dot and two would lead to another operation, whose answers this one does not declare.
      .map((text) => (/^\.{0,2}$/.test(text) ? '-' : encodeURIComponent(text.toWellFormed())));
  const query = operation.parameters.filter((parameter) => parameter.in === 'query');
  const pair = fc.tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...query.map(({ name }) => name), 'x') },
      { weight: 1, arbitrary: hostileText },
    ),
    fc.oneof(hostileText, fc.constantFrom(...(treasury['to'] ?? [''])), fc.nat({ max: 1100 }).map(String)),
  );
  const pairs = query.length > 0 ? fc.array(pair, { maxLength: 3 }) : fc.array(pair, { maxLength: 1 });
  return fc.tuple(fc.tuple(...names.map(segment)), pairs).map(([segments, parameters]) => {
    let path = operation.path;
    for (const [index, name] of names.entries())
      path = path.replace(`{${name}}`, () => segments[index] ?? '');
    const search = new URLSearchParams(
      parameters.map(([name, value]): [string, string] => [name.toWellFormed(), value.toWellFormed()]),
    );
    return search.size > 0 ? `${path}?${search.toString()}` : path;
  });
}

/** Requests for one operation, from nearly right to plainly hostile. */
export function hostileRequests(operation: Operation, treasury: Treasury): fc.Arbitrary<HostileRequest> {
  return fc.record({
    operation: fc.constant(operation),
    path: pathOf(operation, treasury),
    headers: headersOf(treasury),
    body: bodyOf(operation, treasury),
  });
}
