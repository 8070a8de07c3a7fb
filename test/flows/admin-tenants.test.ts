import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type RequestOptions, TEST_SECRET, type TestApp } from '../create-test-app.ts';

const TENANTS = '/api/v1/admin/tenants';
let app: TestApp;
let admin: RequestOptions;

before(async () => {
  app = await createTestApp();
  admin = { headers: { 'x-api-key': app.apiKey } };
});
after(() => app.close());

const create = (body: Record<string, unknown>) => app.post(TENANTS, body, admin);
const patch = (slug: string, body: unknown) => app.request('PATCH', `${TENANTS}/${slug}`, body, admin);
const paths = (answer: { body: { issues: { path: string }[] } }) =>
  answer.body.issues.map((issue) => issue.path);

const audit = (slug: string) => app.databases.control.sql<
  { action: string; actor: string; fields: string[]; ip: string | null }[]
>`
  select action, actor, data -> 'fields' as fields, ip from audit_events
  where subject = ${`tenant:${slug}`} and actor <> 'system' order by id`;

test('a tenant is made with everything at once, and people sign in to it in the next moment', async () => {
  const wanted = {
    slug: 'akilesiya',
    name: 'Akilesiya',
    locale: 'am',
    hosts: ['school.example'],
    settings: { default_country: 'ET', code: { length: 8 } },
    branding: {
      logo_url: 'https://cdn.example/logo.png',
      colours: { primary: '#4b3fa7' },
      support_address: 'help@school.example',
      messages: { sign_in_code: { am: { subject: '{{tenant}}: {{code}}' } } },
    },
  };
  const made = await create(wanted);
  assert.equal(made.status, 201);
  const { id, ...tenant } = made.body.tenant;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(tenant, { ...wanted, kind: 'application', phone_prefixes: [], database: null });
  assert.deepEqual((await app.get(`${TENANTS}/akilesiya`, admin)).body.tenant, made.body.tenant);

  const signedIn = await app.signIn(
    { email: 'ada@example.org' },
    {},
    { headers: { host: 'school.example', 'x-tenant': 'akilesiya' } },
  );
  assert.equal(signedIn.status, 201);
  assert.equal(signedIn.body.tenant.slug, 'akilesiya');
  const [message] = (await app.get('/dev/messages?to=ada@example.org&limit=1')).body;
  assert.equal(message.subject, `Akilesiya: ${message.code}`);
  assert.equal(message.code.length, 8);
  assert.match(
    message.html,
    /background:#4b3fa7[^>]*><img src="https:\/\/cdn\.example\/logo\.png" alt="Akilesiya"/,
  );
  assert.match(message.text, /help@school\.example/);
  const rows = await audit('akilesiya');
  assert.deepEqual(
    rows.map(({ action, fields }) => ({ action, fields })),
    [{ action: 'tenant.created', fields: [] }],
  );
  assert.match(rows[0]?.actor ?? '', /^api_key:[0-9a-f-]{36}$/);
  assert.ok(rows[0]?.ip);
});

test('a change merges: what is left out stays, null takes away, lists replace; each change has one audit row', async () => {
  await create({
    slug: 'merge',
    name: 'Merge',
    settings: { channels: ['email', 'sms'], code: { length: 8, lifetime_seconds: 120 } },
  });
  const changed = await patch('merge', {
    name: 'Merged',
    settings: { channels: ['email'], code: { length: null }, registration: 'closed' },
    branding: { colours: { primary: '#112233' } },
  });
  assert.equal(changed.status, 200);
  assert.equal(changed.body.tenant.name, 'Merged');
  assert.deepEqual(changed.body.tenant.settings, {
    channels: ['email'],
    code: { lifetime_seconds: 120 },
    registration: 'closed',
  });
  const again = await patch('merge', { branding: { colours: null } });
  assert.deepEqual(again.body.tenant.branding, {});
  assert.deepEqual(again.body.tenant.settings, changed.body.tenant.settings);
  assert.deepEqual(
    (await audit('merge')).map(({ action, fields }) => ({ action, fields })),
    [
      { action: 'tenant.created', fields: [] },
      { action: 'tenant.changed', fields: ['name', 'settings', 'branding'] },
      { action: 'tenant.changed', fields: ['branding'] },
    ],
  );
  const closed = await app.signIn({ email: 'new@example.org' }, {}, { headers: { 'x-tenant': 'merge' } });
  assert.equal(closed.status, 404);
});

test('every fault is told with its path, and nothing is written', async () => {
  const refused = async (body: Record<string, unknown>, expected: string[]) => {
    const answer = await create({ slug: 'broken', name: 'Broken', ...body });
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.deepEqual(paths(answer), expected, JSON.stringify(answer.body));
    assert.equal((await app.get(`${TENANTS}/broken`, admin)).status, 404);
  };
  await refused({ slug: 'Bad Slug' }, ['/slug']);
  await refused({ slug: 'default' }, ['/slug']);
  await refused({ name: 'X\r\nBcc: evil@evil.example' }, ['/name']);
  await refused({ locale: 'tlh' }, ['/locale']);
  await refused({ hosts: ['https://x/'] }, ['/hosts']);
  await refused({ kind: 'market' }, ['/phone_prefixes']);
  await refused({ kind: 'market', phone_prefixes: ['+998'] }, ['/phone_prefixes']);
  await refused({ database: 'nowhere' }, ['/database']);
  await refused({ database: 'control' }, ['/database']);
  await refused({ colour: 'red' }, ['/colour']);
  await refused({ settings: { code: { length: 3 }, channels: ['pigeon'] } }, [
    '/settings/channels/0',
    '/settings/code/length',
  ]);
  await refused({ settings: { surprise: 1 } }, ['/settings/surprise']);
  const fields = (properties: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
    settings: { custom_fields: { type: 'object', properties, ...more } },
  });
  const place = '/settings/custom_fields';
  await refused({ settings: { custom_fields: {} } }, [place]);
  await refused(fields({ grade: { type: 'intger' } }), [`${place}/properties/grade/type`]);
  await refused(fields({ grade: { type: 'string' } }, { require: ['grade'] }), [`${place}/require`]);
  await refused(fields({ grade: { pattern: '^(\\w+\\s?)+$' } }), [`${place}/properties/grade/pattern`]);
  await refused({ branding: { logo_url: 'javascript:alert(1)' } }, ['/branding/logo_url']);
  await refused({ branding: { logo_url: 'http://cdn.example/x.png' } }, ['/branding/logo_url']);
  await refused({ branding: { colours: { primary: 'red;background:url(x)' } } }, [
    '/branding/colours/primary',
  ]);
  await refused({ branding: { support_address: 'a@x.example\r\nBcc: b@x.example' } }, [
    '/branding/support_address',
  ]);
  const words = (template: string, override: Record<string, string>) => ({
    branding: { messages: { [template]: { en: override } } },
  });
  await refused(words('sign_in_code', { subject: 'Hi {{nmae}}' }), [
    '/branding/messages/sign_in_code/en/subject',
  ]);
  await refused(words('sign_in_code', { subject: 'Hi\r\nBcc: x' }), [
    '/branding/messages/sign_in_code/en/subject',
  ]);
  await refused(words('sign_in_code', { text: '{{code' }), ['/branding/messages/sign_in_code/en/text']);
  await refused(words('sign_in_code', { text: '{{ constructor }}' }), [
    '/branding/messages/sign_in_code/en/text',
  ]);
  await refused(words('sign_in_code', { sms: 'No code at all' }), ['/branding/messages/sign_in_code/en/sms']);
  await refused(words('password_changed', { text: '{{code}}' }), [
    '/branding/messages/password_changed/en/text',
  ]);
  await refused(words('pigeon_code', { text: 'x' }), ['/branding/messages/pigeon_code']);
  await refused({ branding: { messages: { sign_in_code: { xx: {} } } } }, [
    '/branding/messages/sign_in_code/xx',
  ]);
});

test('a patch is refused as a whole, and slug, kind and database are no part of it', async () => {
  await create({ slug: 'whole', name: 'Whole' });
  const refused = await patch('whole', { name: 'Half', settings: { code: { length: 99 } } });
  assert.deepEqual([refused.status, paths(refused)], [400, ['/settings/code/length']]);
  assert.equal((await app.get(`${TENANTS}/whole`, admin)).body.tenant.name, 'Whole');
  for (const field of ['slug', 'kind', 'database', 'id']) {
    assert.deepEqual(paths(await patch('whole', { [field]: 'x' })), [`/${field}`]);
  }
  assert.equal((await patch('nobody', { name: 'X' })).status, 404);
});

test('of many changes at once none is lost, and of two tenants one gets the prefix', async () => {
  await create({ slug: 'busy', name: 'Busy' });
  const fields = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter, index) => ({
    [index % 2 === 0 ? 'sign_in_code' : 'forgot_password']: {
      [['en', 'ru', 'uz'][index >> 1] ?? 'en']: { subject: letter },
    },
  }));
  const answers = await Promise.all(fields.map((messages) => patch('busy', { branding: { messages } })));
  assert.deepEqual(
    answers.map((answer) => answer.status),
    Array(6).fill(200),
  );
  const { messages } = (await app.get(`${TENANTS}/busy`, admin)).body.tenant.branding;
  assert.deepEqual(messages, {
    sign_in_code: { en: { subject: 'a' }, ru: { subject: 'c' }, uz: { subject: 'e' } },
    forgot_password: { en: { subject: 'b' }, ru: { subject: 'd' }, uz: { subject: 'f' } },
  });

  const markets = await Promise.all(
    ['kz', 'kg', 'tj'].map((slug) => create({ slug, name: slug, kind: 'market', phone_prefixes: ['+7'] })),
  );
  assert.deepEqual(
    markets.map((answer) => answer.status).toSorted((one, other) => one - other),
    [201, 400, 400],
  );
});

test('another server of the deployment follows the change', async () => {
  const other = await app.replica();
  try {
    await create({ slug: 'followed', name: 'Followed' });
    for (let attempt = 0; ; attempt++) {
      const answer = await other.get(`${TENANTS}/followed`, { headers: { 'x-api-key': other.apiKey } });
      if (answer.status === 200) break;
      assert.ok(attempt < 200, 'the other server never heard of it');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    await other.close();
  }
});

test('S45 without a key, with a lesser one, or with one of another tenant there is nothing to see', async () => {
  await create({ slug: 'mine', name: 'Mine' });
  const own = app.app.tenants.bySlug('mine');
  assert.ok(own);
  const key = async (scopes: ('admin' | 'introspect')[], tenantId: string | null) => {
    const { text } = await app.app.apiKeys.create({ tenantId, name: 'k', scopes });
    return { headers: { 'x-api-key': text } };
  };
  assert.deepEqual((await app.get(TENANTS)).body.error, 'API_KEY_INVALID');
  assert.deepEqual((await app.get(TENANTS, await key(['introspect'], null))).body.error, 'SCOPE_REQUIRED');
  const bound = await key(['admin'], own.id);
  const seen = await app.get(TENANTS, bound);
  assert.deepEqual(
    seen.body.tenants.map((tenant: { slug: string }) => tenant.slug),
    ['mine'],
  );
  assert.equal((await app.get(`${TENANTS}/default`, bound)).status, 404);
  assert.equal((await app.request('PATCH', `${TENANTS}/default`, { name: 'Ours' }, bound)).status, 404);
  assert.equal((await app.post(TENANTS, { slug: 'more', name: 'More' }, bound)).status, 403);
  assert.equal((await app.request('PATCH', `${TENANTS}/mine`, { name: 'Ours' }, bound)).status, 200);
});

test('S45 no answer holds a key, a secret or the address of a database', async () => {
  const text = JSON.stringify([
    (await app.get(TENANTS, admin)).body,
    (await app.get(`${TENANTS}/us`, admin)).body,
  ]);
  assert.match(text, /"database":"us"/);
  for (const secret of [TEST_SECRET, app.apiKey, 'postgres:', 'password_hash', 'private', '"d":']) {
    assert.ok(!text.includes(secret), secret);
  }
});
