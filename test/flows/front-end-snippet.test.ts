import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

interface FrontEnd {
  sendCode(phone: string): Promise<Record<string, unknown>>;
  verifyAndLogin(phone: string, code: string): Promise<Record<string, unknown>>;
  logout(): Promise<void>;
}

/** The snippet in a page of its own: relative fetch, localStorage and console are all it is given. */
function loadFrontEnd(url: string): {
  page: FrontEnd;
  stored: Map<string, string>;
  said: string[];
  statuses: number[];
} {
  const text = readFileSync(join(import.meta.dirname, 'front-end-snippet.md'), 'utf8');
  const code = [...text.matchAll(/^```javascript\n(.*?)^```/gms)].map((match) => match[1]).join('\n');
  const stored = new Map<string, string>();
  const said: string[] = [];
  const statuses: number[] = [];
  const page = runInNewContext(`${code}\n({ sendCode, verifyAndLogin, logout })`, {
    fetch: async (path: string, init: RequestInit) => {
      const response = await fetch(new URL(path, url), init);
      statuses.push(response.status);
      return response;
    },
    localStorage: {
      getItem: (name: string) => stored.get(name) ?? null,
      setItem: (name: string, value: string) => stored.set(name, value),
      removeItem: (name: string) => stored.delete(name),
    },
    console: { log: (line: string) => said.push(line) },
  }) as FrontEnd;
  return { page, stored, said, statuses };
}

test('the front end of the phone markets runs as it stands', async () => {
  const { page, stored, said, statuses } = loadFrontEnd(app.url);
  const phone = '+13128059851';

  const sent = await page.sendCode(phone);
  assert.equal(sent['success'], true);
  const first = await page.verifyAndLogin(phone, await app.code(phone));
  assert.equal(first['success'], true);
  assert.equal(first['is_new_user'], true);
  assert.deepEqual(said, ['Welcome! New user created']);
  const token = stored.get('access_token');
  assert.equal(token, first['access_token']);
  const user = JSON.parse(stored.get('user') ?? '') as { id: string; phone: string };
  assert.equal(user.phone, phone);
  assert.equal((await app.get('/api/v1/auth/me', { token })).body.user.id, user.id);

  await page.logout();
  assert.equal(stored.size, 0);
  assert.equal(said.at(-1), 'Logged out successfully');
  assert.equal((await app.get('/api/v1/auth/me', { token })).status, 401);

  app.clock.advance(61);
  const before = await app.newestMessage(phone);
  await page.sendCode(phone);
  const second = await page.verifyAndLogin(phone, await app.code(phone, { after: before }));
  assert.equal(second['is_new_user'], false);
  assert.equal(said.at(-1), 'Welcome back!');
  assert.notEqual(stored.get('access_token'), token);
  assert.deepEqual(statuses, [200, 201, 200, 200, 200]);

  // A wrong code stores nothing and says nothing.
  await page.logout();
  const lines = said.length;
  const refused = await page.verifyAndLogin(phone, '000000');
  assert.equal(refused['success'], false);
  assert.equal(stored.size, 0);
  assert.equal(said.length, lines);
});
