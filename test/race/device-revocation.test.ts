import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { assertEnded, checkToken, newEmail, refreshPath, signIn, type SignedIn } from './started.ts';

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp();
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

test('S36 of three devices each is revoked in turn while it refreshes: the end wins, the others go on', async () => {
  const email = newEmail();
  const devices: SignedIn[] = [];
  for (let count = 0; count < 3; count++) {
    devices.push(await signIn(app, email));
    app.clock.advance(61);
  }
  const [first, second, last] = devices;
  assert.ok(first && second && last);
  for (const [device, others] of [
    [first, [second, last]],
    [second, [last]],
  ] as const) {
    const tokens = { access: [device.access], refresh: [device.refresh] };
    const [ended, ...answers]: Answer[] = await Promise.all([
      app.request('DELETE', `/api/v1/auth/devices/${device.deviceId}`, undefined, { token: last.access }),
      ...[app, replica, app, replica].map((server) =>
        server.post(refreshPath, { refresh_token: device.refresh }),
      ),
    ]);
    assert.equal(ended?.status, 200);
    for (const { status, body } of answers) {
      assert.ok(status === 200 || status === 401, String(status));
      if (status !== 200) continue;
      tokens.access.push(body.access_token as string);
      tokens.refresh.push(body.refresh_token as string);
    }
    await assertEnded([app, replica], { sessionId: device.sessionId, ...tokens });
    for (const { access } of others) assert.equal(await checkToken(replica, access), 200);
  }
  assert.equal(await checkToken(app, last.access), 200);
});
