import {
  type Branding,
  brandingSchema,
  keepTestCodes,
  settingsSchema,
  type Tenant,
  type TenantChanges,
  withoutTestCodes,
} from '../tenants/tenants.ts';
import { meantBy } from '../kernel/likeness.ts';
import { CliError } from './errors.ts';

/** As much of a JSON schema as settings are made of. */
interface Schema {
  type?: string;
  enum?: readonly unknown[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  properties?: Readonly<Record<string, Schema>>;
}

/** Something that `tenant set` can set: where it lies and what goes there, in words. */
export interface Settable {
  path: string;
  expects: string;
}

/** What is not among the settings but may also be changed. Slug, kind and database cannot: rows and tokens rely on them. */
const ATTRIBUTES: Readonly<
  Record<string, { key: 'name' | 'locale' | 'hosts' | 'phonePrefixes'; schema: Schema }>
> = {
  name: { key: 'name', schema: { type: 'string' } },
  locale: { key: 'locale', schema: { type: 'string' } },
  hosts: { key: 'hosts', schema: { type: 'array', items: { type: 'string' } } },
  phone_prefixes: { key: 'phonePrefixes', schema: { type: 'array', items: { type: 'string' } } },
};

/** The settings, and the branding beside them. */
const settable: Schema = { properties: { ...settingsSchema.properties, branding: brandingSchema } };
/** Words of one's own: each template has them in each language, too many to list. */
const MESSAGES = 'branding.messages';

/** Everything that `tenant set` takes, from the schemas of settings and branding. */
export function listSettable(): Settable[] {
  const leaves = (path: string, schema: Schema): Settable[] =>
    path === MESSAGES
      ? [{ path: `${MESSAGES}.<template>.<locale>.subject|text|sms`, expects: '<text>' }]
      : schema.properties === undefined
        ? [{ path, expects: expectation(schema) }]
        : Object.entries(schema.properties).flatMap(([name, inner]) =>
            leaves(path === '' ? name : `${path}.${name}`, inner),
          );
  return [
    ...Object.entries(ATTRIBUTES).map(([path, { schema }]) => ({ path, expects: expectation(schema) })),
    ...leaves('', settable),
  ];
}

/**
 * Reads `path=value` words, typed by the schema. An empty value takes a setting back to its default.
 * @param unset paths to take back as well
 * @returns what to change, and for each path its text before and after
 * @throws CliError (exit 2) for a path that there is not or a value that is not of its type
 */
export function readAssignments(
  tenant: Tenant,
  assignments: readonly string[],
  unset: readonly string[],
): { changes: TenantChanges; shown: { path: string; before: string; after: string }[] } {
  const words = [...assignments, ...unset.map((path) => `${path}=`)];
  if (words.length === 0) throw new CliError('Nothing to set. Give path=value, such as code.length=8', 2);
  const wanted = structuredClone(assignable(tenant));
  const changes: TenantChanges = {};
  const paths = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) throw new CliError(`"${word}" is no assignment. Write path=value.`, 2);
    const [path, text] = [word.slice(0, equals), word.slice(equals + 1)];
    const attribute = Object.hasOwn(ATTRIBUTES, path) ? ATTRIBUTES[path] : undefined;
    if (attribute) {
      Object.assign(changes, { [attribute.key]: parse(path, text, attribute.schema) });
    } else {
      // What the schema does not know any more may still be taken away.
      const schema = text === '' && valueAt(wanted, path) !== undefined ? {} : schemaAt(path);
      place(wanted, path.split('.'), text === '' ? undefined : parse(path, text, schema));
      const { branding = {}, ...settings } = wanted;
      if (path.startsWith('branding.')) changes.branding = branding as Branding;
      else changes.settings = keepTestCodes(tenant.settings, settings);
    }
    return path;
  });
  const after = { ...tenant, ...changes };
  const shown = [...new Set(paths)].map((path) => ({
    path,
    before: textAt(tenant, path),
    after: textAt(after, path),
  }));
  return { changes, shown };
}

/** What stands at a path of a tenant, as it would be typed. */
function textAt(tenant: Tenant, path: string): string {
  const attribute = Object.hasOwn(ATTRIBUTES, path) ? ATTRIBUTES[path] : undefined;
  if (attribute) return textOf(tenant[attribute.key]);
  const value = valueAt({ ...assignable(tenant), ...withoutTestCodes(tenant.settings) }, path);
  return value === undefined ? '(default)' : textOf(value);
}

/** Everything of a tenant that has a path with dots. */
function assignable({ settings, branding }: Tenant): Record<string, unknown> {
  return { ...settings, branding };
}

function valueAt(target: Record<string, unknown>, path: string): unknown {
  let value: unknown = target;
  for (const name of path.split('.')) {
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    value = isThere ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

function textOf(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function schemaAt(path: string): Schema {
  let schema: Schema | undefined = settable;
  for (const name of path.split('.')) {
    const inner: Readonly<Record<string, Schema>> | undefined = schema?.properties;
    schema = inner && Object.hasOwn(inner, name) ? inner[name] : undefined;
  }
  if (schema === undefined) {
    throw new CliError(
      [`There is no setting "${path}".${nearestTo(path)}`, 'All of them: firstproof tenant set --help'].join(
        '\n',
      ),
      2,
    );
  }
  return schema;
}

/** The settings beside it, else the one it is spelt like: the list of all would push what is wrong off the screen. */
function nearestTo(path: string): string {
  const all = listSettable();
  const [group] = path.split('.');
  const beside = all.filter((one) => one.path.split('.')[0] === group);
  const meant = meantBy(
    path,
    all.map((one) => one.path),
  );
  const near = beside.length > 0 ? beside : all.filter((one) => one.path === meant);
  return near.length === 0
    ? ''
    : ` There are:\n${near.map((one) => `  ${one.path}=${one.expects}`).join('\n')}`;
}

/** A value of the wrong type is refused here with the right one; its range is the settings' own affair. */
function parse(path: string, text: string, schema: Schema): unknown {
  if (schema.type === 'string' || (schema.enum && schema.enum.every((item) => typeof item === 'string')))
    return text;
  if (schema.type === 'array' && schema.items && !text.startsWith('[')) {
    const items = text.split(',').map((item) => item.trim());
    return items.filter((item) => item !== '').map((item) => parse(path, item, schema.items as Schema));
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(`${path} takes ${expectation(schema)}, not "${text}".`, 2);
  }
}

function expectation(schema: Schema): string {
  if (schema.enum) return schema.enum.join('|');
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return `<${schema.minimum}-${schema.maximum}>`;
  if (schema.type === 'array' && schema.items) return `${expectation(schema.items)},…`;
  const words: Record<string, string> = {
    string: '<text>',
    integer: '<number>',
    number: '<number>',
    boolean: 'true|false',
  };
  return words[schema.type ?? ''] ?? '<json>';
}

/** Puts a value where the path leads; undefined takes it away, and the objects that are left empty by that. */
function place(
  target: Record<string, unknown>,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length > 0) {
    const inner = (target[name] ?? {}) as Record<string, unknown>;
    place(inner, rest, value);
    if (Object.keys(inner).length > 0) target[name] = inner;
    else delete target[name];
  } else if (value === undefined) delete target[name];
  else target[name] = value;
}
