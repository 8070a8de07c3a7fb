import assert from 'node:assert/strict';
import { randomBytes, scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hash as argon2 } from '@node-rs/argon2';
import bcrypt from 'bcryptjs';
import { importUsers } from '../../src/cli/user-import.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';

const PASSWORD = 'Перо-и-чернильница 7';
const schemes = {
  bcrypt: async () => bcrypt.hashSync(PASSWORD, 5),
  bcrypt_2y: async () => bcrypt.hashSync(PASSWORD, 5).replace('$2b$', '$2y$'),
  argon2: () => argon2(PASSWORD, { memoryCost: 8192, timeCost: 2, parallelism: 1 }),
  scrypt: async () => {
    const salt = randomBytes(16);
    const key = scryptSync(PASSWORD, salt, 32, { N: 2 ** 12, r: 8, p: 1 });
    const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
    return `$scrypt$ln=12,r=8,p=1$${text(salt)}$${text(key)}`;
  },
};

let app: TestApp;
const folder = mkdtempSync(join(tmpdir(), 'firstproof-imported-'));

before(async () => {
  app = await createTestApp();
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function importRows(rows: readonly object[]): Promise<{ imported: number; refused: number }> {
  const file = join(folder, 'people.jsonl');
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  const { newId } = app.app;
  const tools = { database: app.databases.control, tenant, newId, now: () => app.clock.now() };
  return importUsers({ ...tools, stopped: () => false }, file, {});
}

const login = (email: string, password: string) => app.post('/api/v1/auth/login', { email, password });

for (const [scheme, make] of Object.entries(schemes)) {
  test(`a person imported with a ${scheme} hash signs in with the old password, and with no other`, async () => {
    const email = `${scheme}@example.org`;
    const { imported } = await importRows([{ email, password_hash: await make(), verified: true }]);
    assert.equal(imported, 1);
    assert.equal((await login(email, `${PASSWORD}!`)).status, 401);
    const signedIn = await login(email, PASSWORD);
    assert.equal(signedIn.status, 200);
    assert.equal(signedIn.body.is_new_user, false);
    const [row] = await app.databases.control.sql`
      select password_hash from users where id = ${signedIn.body.user.id}`;
    assert.match(
      row?.['password_hash'],
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
      'made anew with the parameters of today',
    );
    assert.equal((await login(email, PASSWORD)).status, 200);
  });
}

test('custom fields of a row are checked against the tenant’s schema, with the path of the field', async () => {
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  const schema = { type: 'object', properties: { grade: { type: 'integer' } }, required: ['grade'] };
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, custom_fields: schema } });
  const outcome = await importRows([
    { email: 'fields1@example.org', custom_fields: { grade: 3 } },
    { email: 'fields2@example.org', custom_fields: { grade: 'three' } },
    { email: 'fields3@example.org', custom_fields: { grade: 1, shoe: 42 } },
  ]);
  assert.deepEqual([outcome.imported, outcome.refused], [1, 2]);
});
