import type { Operation, Schema } from './openapi.ts';

/** What a field is called says what it holds; these are what the guides use too. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  email: 'ada@example.com',
  phone: '+14155552671',
  telegram_user_id: '513611281',
  verification_code: '482913',
  otp: '482913',
  code: '482913',
  verification_id: '{verification_id}',
  refresh_token: '{refresh_token}',
  token: '{access_token}',
  password: 'a long pass phrase of mine',
  new_password: 'another long pass phrase',
  first_name: 'Ada',
  last_name: 'Lovelace',
  username: 'ada',
  name: 'Ada’s telephone',
  slug: 'school',
  locale: 'en',
};

/** Calls whose fields are all optional to the schema, and what a first try of them holds. */
const FIRST_TRIES: Readonly<Record<string, Record<string, unknown>>> = {
  '/send-verification': { email: SAMPLES['email'] },
  '/verify-code': { verification_id: '{verification_id}', verification_code: '{code}' },
  '/verify-otp': { email: SAMPLES['email'], otp: '{code}' },
  '/resend-otp': { verification_id: '{verification_id}' },
  '/auth/resend-otp': { email: SAMPLES['email'] },
  '/forgot-password': { email: SAMPLES['email'] },
  '/login': { email: SAMPLES['email'], password: SAMPLES['password'] },
  '/register': { email: SAMPLES['email'], password: SAMPLES['password'], first_name: 'Ada' },
  '/logout': { scope: 'this' },
  '/me': { first_name: 'Ada', last_name: 'Lovelace' },
};

/** A body for a first try; {names} in it are filled in from earlier answers. Undefined where there is none. */
export function exampleBody(operation: Operation): Record<string, unknown> | undefined {
  const { body, path } = operation;
  if (!body?.properties) return undefined;
  const enveloped = path.startsWith('/api/auth/');
  const first =
    FIRST_TRIES[`${enveloped ? '/auth' : ''}${path.slice(path.lastIndexOf('/'))}`] ??
    FIRST_TRIES[path.slice(path.lastIndexOf('/'))];
  if (first) return Object.fromEntries(Object.entries(first).filter(([name]) => body.properties?.[name]));
  return Object.fromEntries(
    (body.required ?? []).map((name) => [name, sampleOf(name, body.properties?.[name] ?? {})]),
  );
}

function sampleOf(name: string, schema: Schema): unknown {
  if (name in SAMPLES) return SAMPLES[name];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return sampleOf(name, schema.anyOf[0] ?? {});
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type === 'boolean') return true;
  if (schema.type === 'array') return schema.items ? [sampleOf(name, schema.items)] : [];
  if (schema.type !== 'object') return name.replaceAll('_', ' ');
  const fields = schema.required ?? [];
  return Object.fromEntries(
    fields.map((field) => [field, sampleOf(field, schema.properties?.[field] ?? {})]),
  );
}

/** The call on the command line. @param origin where the server is: https://auth.example.com */
export function curlExample(operation: Operation, origin: string): string {
  const { method, path, key, isForm } = operation;
  const body = exampleBody(operation);
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}'${origin}${path}'`];
  if (key === 'bearer') lines.push(`-H 'authorization: Bearer {access_token}'`);
  if (key === 'api_key') lines.push(`-H 'x-api-key: {api_key}'`);
  if (body && isForm) {
    for (const [name, value] of Object.entries(body)) lines.push(`-d ${name}='${shellText(String(value))}'`);
  } else if (body) {
    lines.push(`-H 'content-type: application/json'`, `-d '${shellText(JSON.stringify(body))}'`);
  }
  return lines.join(' \\\n  ');
}

function shellText(text: string): string {
  return text.replaceAll("'", `'\\''`);
}

/** What the client calls each call, with its argument: `{body}` is the body of the first try. */
const CLIENT_CALLS: Readonly<Record<string, string>> = {
  'POST /api/v1/auth/send-verification': 'client.sendVerification({body})',
  'POST /api/v1/auth/verify-code':
    "client.verifyCode({ verification_id: '{verification_id}', code: '{code}' })",
  'POST /api/v1/auth/resend-otp': "client.resend('{verification_id}')",
  'POST /api/v1/auth/login': 'client.login({body})',
  'GET /api/v1/auth/me': 'client.me()',
  'POST /api/v1/auth/logout': 'client.logout()',
};

/** The same for bots, whose client holds an API key. */
const BOT_CALLS: Readonly<Record<string, string>> = {
  'GET /api/v1/phones/{phone}/authorization': "auth.getAuthByPhoneNumber('+14155552671')",
  'POST /api/v1/telegram/chats/{chat_id}/send-code': "auth.sendOtp('513611281', '+14155552671')",
  'POST /api/v1/telegram/chats/{chat_id}/verify': "auth.verifyOtp('513611281', '{code}')",
  'GET /api/v1/telegram/chats/{chat_id}/authorization': "auth.loadUserAuth('513611281')",
  'DELETE /api/v1/telegram/chats/{chat_id}/authorization': "auth.invalidateToken('513611281')",
  'POST /api/v1/telegram/chats/{chat_id}/undo-move': "auth.undoMove('513611281', '{move_id}')",
};

/** The call in TypeScript, by the client of `sdk/`; undefined where it has no method for it. */
export function clientExample(operation: Operation, origin: string): string | undefined {
  const name = `${operation.method} ${operation.path}`;
  const call = CLIENT_CALLS[name];
  if (call !== undefined) {
    return `import { createClient } from '@firstproof/client';

const client = createClient({ baseUrl: '${origin}' });
const answer = await ${call.replace('{body}', literal(exampleBody(operation) ?? {}))};`;
  }
  const botCall = BOT_CALLS[name];
  if (botCall === undefined) return undefined;
  return `import { PhoneAuth } from '@firstproof/client/phone-auth';

const auth = new PhoneAuth({ baseUrl: '${origin}', apiKey });
const answer = await ${botCall};`;
}

function literal(body: Record<string, unknown>): string {
  const fields = Object.entries(body).map(
    ([name, value]) =>
      `${name}: ${typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : JSON.stringify(value)}`,
  );
  return `{ ${fields.join(', ')} }`;
}
