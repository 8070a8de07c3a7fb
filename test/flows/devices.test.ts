import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const DEVICES = '/api/v1/auth/devices';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

async function threeDevices(email: string) {
  const browser = await app.signIn({ email }, {}, { headers: { 'user-agent': FIREFOX }, from: '192.0.2.10' });
  app.clock.advance(1);
  const phone = await app.signIn({ email }, { device: { name: 'My phone', kind: 'app' } });
  app.clock.advance(1);
  const server = await app.signIn({ email }, { style: 'opaque', device: { kind: 'server' } });
  return [browser.body, phone.body, server.body];
}
const alive = async (token: string) => (await app.get('/api/v1/auth/session', { token })).status === 200;

test('S36 devices are listed with the current one marked, and named by their owner', async () => {
  const [browser, phone, server] = await threeDevices('devices@example.com');
  const list = await app.get(DEVICES, { token: phone.access_token });
  assert.equal(list.status, 200);
  const { devices } = list.body;
  assert.equal(devices.length, 3);
  const byId = new Map<string, Record<string, unknown>>(
    devices.map((device: { id: string }) => [device.id, device]),
  );
  assert.deepEqual(
    { ...byId.get(browser.session.device_id), first_seen: '', last_seen: '' },
    {
      id: browser.session.device_id,
      kind: 'browser',
      name: 'Firefox on Linux',
      user_agent: FIREFOX,
      last_ip: '192.0.2.10',
      first_seen: '',
      last_seen: '',
      is_current: false,
    },
  );
  assert.equal(byId.get(phone.session.device_id)?.['name'], 'My phone');
  assert.equal(byId.get(phone.session.device_id)?.['is_current'], true);
  assert.equal(byId.get(server.session.device_id)?.['kind'], 'server');
  assert.equal(byId.get(server.session.device_id)?.['is_current'], false);

  const path = `${DEVICES}/${server.session.device_id}`;
  const renamed = await app.request('PATCH', path, { name: 'Büro' }, { token: browser.access_token });
  assert.equal(renamed.status, 200);
  const again = await app.get(DEVICES, { token: browser.access_token });
  const names = again.body.devices.map((device: { name: string }) => device.name).sort();
  assert.deepEqual(names, ['Büro', 'Firefox on Linux', 'My phone']);
});

test('S36 each device is revoked alone: its tokens stop at once and the others go on', async () => {
  const [browser, phone, server] = await threeDevices('revoke@example.com');
  const remove = (id: string) =>
    app.request('DELETE', `${DEVICES}/${id}`, undefined, { token: server.access_token });

  assert.equal((await remove(browser.session.device_id)).status, 200);
  assert.equal(await alive(browser.access_token), false);
  const refresh = await app.post('/api/v1/auth/refresh', { refresh_token: browser.refresh_token });
  assert.equal(refresh.body.error, 'SESSION_ENDED');
  assert.equal(await alive(phone.access_token), true);
  const rotated = await app.post('/api/v1/auth/refresh', { refresh_token: phone.refresh_token });
  assert.equal(rotated.status, 200);
  assert.equal((await remove(browser.session.device_id)).status, 404, 'gone once');

  assert.equal((await remove(phone.session.device_id)).status, 200);
  assert.equal(await alive(rotated.body.access_token), false);
  assert.equal(await alive(server.access_token), true);
  const left = await app.get(DEVICES, { token: server.access_token });
  assert.equal(left.body.devices.length, 1);

  assert.equal((await remove(server.session.device_id)).status, 200, 'also the one in hand');
  assert.equal(await alive(server.access_token), false);
  const [row] = await app.databases.control.sql`
    select is_active from users where id = ${server.user.id}`;
  assert.equal(row?.['is_active'], false);
});

test('S36 nobody can see, name or revoke the device of somebody else', async () => {
  const owner = (await app.signIn({ email: 'owner@example.com' })).body;
  const stranger = (await app.signIn({ email: 'stranger@example.com' })).body;
  const path = `${DEVICES}/${owner.session.device_id}`;
  const { access_token: token } = stranger;
  const list = await app.get(DEVICES, { token });
  assert.deepEqual(
    list.body.devices.map((device: { id: string }) => device.id),
    [stranger.session.device_id],
  );
  assert.equal((await app.request('PATCH', path, { name: 'Mine' }, { token })).status, 404);
  assert.equal((await app.request('DELETE', path, undefined, { token })).status, 404);
  assert.equal(await alive(owner.access_token), true);
  const [row] = await app.databases.control.sql`
    select name from devices where id = ${owner.session.device_id}`;
  assert.notEqual(row?.['name'], 'Mine');
  for (const id of ['x', '00000000-0000-0000-0000-000000000000', "1'--", '%2e%2e%2f']) {
    const answer = await app.request('DELETE', `${DEVICES}/${id}`, undefined, { token });
    assert.equal(answer.status, 404, id);
  }
});
