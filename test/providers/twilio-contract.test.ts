import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { answers, createFakeProvider, envelopeOf, type ReceivedRequest } from './fake-provider.ts';
import { configs, providerOf } from './providers.ts';
import { createTwilioApi } from '../../src/delivery/providers/twilio-api.ts';
import { createHttpCaller } from '../../src/delivery/providers/http-caller.ts';
import { createTwilioVerify } from '../../src/delivery/providers/twilio-verify.ts';

/** Twilio's own OpenAPI descriptions, kept beside the project and never in it. */
const SPECS = new URL('../../../shared/specs/', import.meta.url);
const absent = existsSync(SPECS) ? false : 'Twilio’s descriptions are not in ../shared/specs';

interface Specification {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: object }> } }>>;
  components: object;
}

function specification(file: string): Specification {
  return JSON.parse(readFileSync(new URL(file, SPECS), 'utf8')) as Specification;
}

/** What a strict reader of the description says against a request; empty when it takes it. */
function problemsOf(request: ReceivedRequest, { paths, components }: Specification): string[] {
  const path = Object.keys(paths).find((template) =>
    new RegExp(`^${template.replace(/\{[A-Za-z]*Sid\}/g, '[A-Z]{2}[0-9a-f]{32}')}$`).test(
      request.url.pathname,
    ),
  );
  if (path === undefined) return [`no such path: ${request.url.pathname}`];
  const operation = paths[path]?.[request.method.toLowerCase()];
  const content = operation?.requestBody?.content['application/x-www-form-urlencoded'];
  if (!content) return [`no ${request.method} form at ${path}`];
  if (!/^Basic [A-Za-z0-9+/=]+$/.test(request.headers.authorization ?? '')) return ['no credentials'];
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: true });
  addFormats.default(ajv);
  ajv.addFormat('phone-number', /^(\+[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11})$/);
  const validate = ajv.compile({ ...content.schema, additionalProperties: false, components });
  return validate({ ...request.form })
    ? []
    : (validate.errors ?? []).map(
        (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
      );
}

test('every call to Twilio has the shape that its description asks for', { skip: absent }, async () => {
  const fake = await createFakeProvider(answers(500, ''));
  const signal = new AbortController().signal;
  const sid = `VE${'2'.repeat(32)}`;
  const messaging = providerOf(configs['twilio-messaging'], fake.fetch);
  const verify = providerOf(configs['twilio-verify'], fake.fetch);
  const { account } = configs['twilio-verify'].twilio;
  const { service } = configs['twilio-verify'].twilio.verify;
  const api = createTwilioApi(account, createHttpCaller({ fetch: fake.fetch }));
  const theirs = createTwilioVerify({ api, service, codes: 'twilio', serves: () => true });
  await messaging.send(envelopeOf(), signal);
  await messaging.send(envelopeOf({ expiresIn: 1 }), signal);
  await verify.send(envelopeOf(), signal);
  await verify.send(envelopeOf({ channel: 'voice', locale: 'fa' }), signal);
  await verify.send(envelopeOf({ androidHash: 'FA+9qCX9VSu' }), signal);
  await theirs.send(envelopeOf(), signal);
  await theirs.checkCode?.(sid, '123456', signal);
  await verify.approve?.(sid, signal).catch(() => {});
  await verify.revoke?.(sid, signal).catch(() => {});
  await fake.close();
  assert.equal(fake.received.length, 9);
  const specifications = {
    'https://api.twilio.com': specification('twilio_messages_v2010.json'),
    'https://verify.twilio.com': specification('twilio_verify_v2.json'),
  };
  for (const request of fake.received) {
    const known = (specifications as Record<string, Specification>)[request.url.origin];
    assert.ok(known, request.url.origin);
    assert.deepEqual(problemsOf(request, known), [], `${request.url.href} ${request.text}`);
  }
  // The reader is strict: an unknown field and a missing one are both seen.
  const [message] = fake.received;
  assert.ok(message);
  const { To: _to, ...form } = message.form;
  const broken = { ...message, form: { ...form, Bdoy: 'x' } };
  assert.equal(problemsOf(broken, specifications['https://api.twilio.com']).length, 2);
});
