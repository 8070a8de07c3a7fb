import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const USERS = '/api/v1/admin/users';
const admin = (key = app.apiKey, tenant = 'default') => ({
  headers: { 'x-api-key': key, 'x-tenant': tenant },
});
let counter = 0;
async function person(more: Record<string, unknown> = {}) {
  const phone = `+1415558${String(++counter).padStart(4, '0')}`;
  const { body } = await app.signIn({ phone }, more, {
    from: newCaller(),
    headers: { 'x-tenant': 'default' },
  });
  return { phone, id: body.user.id as string, token: body.access_token as string, body };
}
const actions = async (subject: string) =>
  (
    await app.databases.control.sql`select action, actor from audit_events where subject = ${subject}
    order by at, id`
  ).map((row) => `${row['action']} ${String(row['actor']).split(':')[0]}`);

test('accounts are found by what people say of them, and listed in pages without gaps', async () => {
  const ada = await person({ first_name: 'Adelheid', username: 'adelheid.x' });
  const others = [await person(), await person(), await person()];
  const national = ada.phone.replace('+1415', '(415) ');
  for (const search of [
    ada.phone,
    `${ada.phone.slice(0, 5)} ${ada.phone.slice(5)}`,
    ada.id,
    'ADELHEID.X',
    'adel',
  ]) {
    const { body, status } = await app.get(`${USERS}?search=${encodeURIComponent(search)}`, admin());
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      body.users.map((user: { id: string }) => user.id),
      [ada.id],
      search,
    );
  }
  assert.equal((await app.get(`${USERS}?search=${encodeURIComponent(national)}`, admin())).status, 200);
  assert.deepEqual((await app.get(`${USERS}?search=nobody-at-all`, admin())).body.users, []);
  const seen: string[] = [];
  let before: string | null = null;
  do {
    const { body } = await app.get(`${USERS}?limit=2${before ? `&before=${before}` : ''}`, admin());
    seen.push(...body.users.map((user: { id: string }) => user.id));
    before = body.next_before;
  } while (before);
  assert.equal(new Set(seen).size, seen.length);
  for (const { id } of [ada, ...others]) assert.ok(seen.includes(id));
  const one = await app.get(`${USERS}/${ada.id}`, admin());
  assert.equal(one.body.user.identities[0].value, ada.phone);
  assert.ok(!JSON.stringify(one.body).includes('hash'));
});

test('S45 a key without the scope, of another tenant, or a person’s own token reaches nobody', async () => {
  const { id, token } = await person();
  const us = app.app.tenants.bySlug('us')?.id ?? '';
  const { text: foreign } = await app.app.apiKeys.create({ tenantId: us, name: 'us', scopes: ['admin'] });
  const { text: service } = await app.app.apiKeys.create({ tenantId: null, name: 's', scopes: ['service'] });
  const paths = [USERS, `${USERS}/${id}`, `${USERS}/${id}/sessions`, `${USERS}/${id}/messages`];
  for (const path of [...paths, `${USERS}/${id}/export`, '/api/v1/admin/audit']) {
    assert.equal((await app.get(path, { token })).status, 401, path);
    assert.equal((await app.get(path, admin(service))).status, 403, path);
    assert.equal((await app.get(path, admin(foreign))).status, 404, path);
    const own = await app.get(path, { headers: { 'x-api-key': foreign } });
    assert.ok(own.status === 404 || !JSON.stringify(own.body).includes(id), path);
  }
  for (const method of ['PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? { is_disabled: true } : undefined;
    assert.equal((await app.request(method, `${USERS}/${id}`, body, admin(foreign))).status, 404);
    assert.equal((await app.request(method, `${USERS}/${id}`, body, { token })).status, 401);
  }
  const unnamed = await app.get(USERS, { headers: { 'x-api-key': app.apiKey } });
  assert.deepEqual([unnamed.status, unnamed.body.issues[0].path], [400, '/tenant']);
});

test('an account that is closed is signed out at its next request, refuses sign-ins, and opens again; each once in the trail', async () => {
  const { id, token, phone } = await person();
  const close = () => app.request('PATCH', `${USERS}/${id}`, { is_disabled: true }, admin());
  const [first, second] = await Promise.all([close(), close()]);
  assert.deepEqual([first.status, second.status], [200, 200]);
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 401);
  app.clock.advance(61);
  const refused = await app.signIn({ phone }, {}, { from: newCaller(), headers: { 'x-tenant': 'default' } });
  assert.equal(refused.body.error, 'ACCOUNT_DISABLED');
  const opened = await app.request('PATCH', `${USERS}/${id}`, { is_disabled: false }, admin());
  assert.deepEqual([opened.body.user.is_disabled, opened.body.user.is_active], [false, false]);
  app.clock.advance(61);
  const again = await app.signIn({ phone }, {}, { from: newCaller(), headers: { 'x-tenant': 'default' } });
  assert.equal(again.status, 200);
  assert.equal(again.body.user.is_active, true);
  assert.deepEqual(
    (await actions(`user:${id}`)).filter((one) => !one.startsWith('user.created')),
    ['user.disabled api_key', 'user.enabled api_key'],
  );
});

test('sessions are listed and ended one by one or all at once; messages tell how they ended and never a code', async () => {
  const { id, token, phone } = await person();
  app.clock.advance(61);
  const other = await app.signIn({ phone }, {}, { from: newCaller(), headers: { 'x-tenant': 'default' } });
  const { body } = await app.get(`${USERS}/${id}/sessions?live=true`, admin());
  assert.equal(body.sessions.length, 2);
  const one = other.body.session.id as string;
  assert.equal(
    (await app.request('DELETE', `${USERS}/${id}/sessions/${one}`, undefined, admin())).status,
    200,
  );
  assert.equal((await app.get('/api/v1/auth/session', { token: other.body.access_token })).status, 401);
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  assert.equal(
    (await app.request('DELETE', `${USERS}/${id}/sessions/${one}`, undefined, admin())).status,
    404,
  );
  const all = await app.request('DELETE', `${USERS}/${id}/sessions`, undefined, admin());
  assert.equal(all.body.message, 'Sessions ended: 1.');
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 401);
  assert.deepEqual(await actions(`session:${one}`), ['user.signed_in user', 'session.ended api_key']);
  const code = await app.code(phone);
  const messages = await app.get(`${USERS}/${id}/messages`, admin());
  assert.ok(messages.body.messages.length >= 2);
  assert.match(messages.body.messages[0].template, /sign_in_code/);
  assert.ok(!JSON.stringify(messages.body).includes(code));
});

test('the audit trail is read in pages, by actor, subject and action', async () => {
  const { id } = await person();
  await app.request('PATCH', `${USERS}/${id}`, { is_disabled: true }, admin());
  await app.app.worker.chainAudit();
  const of = async (query: string) => (await app.get(`/api/v1/admin/audit?${query}`, admin())).body.events;
  assert.equal((await of(`subject=user:${id}&action=user.disabled`)).length, 1);
  assert.equal((await of(`actor=user:${id}&action=user.created`)).length, 1);
  const positions: number[] = [];
  let before: string | null = null;
  do {
    const { body } = await app.get(
      `/api/v1/admin/audit?limit=7${before ? `&before=${before}` : ''}`,
      admin(),
    );
    positions.push(...body.events.map((event: { position: string }) => Number(event.position)));
    before = body.next_before;
  } while (before);
  assert.deepEqual(
    positions,
    Array.from({ length: positions.length }, (_, index) => positions.length - index),
  );
  assert.equal((await app.get('/api/v1/admin/audit?before=x', admin())).status, 400);
});
