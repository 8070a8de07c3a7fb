import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importUsers, type ImportOptions } from '../../src/cli/user-import.ts';
import { createBesideServer } from './beside-server.ts';

/** A server that accounts are imported into: files for it, the import itself, and who is there afterwards. */
export async function createImportApp() {
  const beside = await createBesideServer();
  const { app, folder } = beside;
  let files = 0;

  function file(name: string, content: string | Buffer): string {
    const path = join(folder, `${++files}-${name}`);
    writeFileSync(path, content);
    return path;
  }

  /** The import itself, without the program around it. */
  function importInto(
    slug: string,
    path: string,
    options: ImportOptions = {},
    more: { stopped?: () => boolean } = {},
  ) {
    const tenant = app.app.tenants.bySlug(slug);
    assert.ok(tenant);
    const { newId } = app.app;
    const tools = { database: app.databases.of(tenant.database), tenant, newId, now: () => app.clock.now() };
    return importUsers({ ...tools, stopped: more.stopped ?? (() => false) }, path, options);
  }

  async function tenant(slug: string, settings: object = {}): Promise<void> {
    const made = await app.post(
      '/api/v1/admin/tenants',
      { slug, name: slug, settings },
      { headers: { 'x-api-key': app.apiKey } },
    );
    assert.equal(made.status, 201);
  }

  const people = (slug: string) => {
    const { id } = app.app.tenants.bySlug(slug) ?? {};
    return app.databases.control.sql<
      {
        username: string | null;
        role: string;
        first_name: string | null;
        password_hash: string | null;
        is_verified: boolean;
        is_active: boolean;
        custom_fields: object;
        created: string;
        identities: string[];
      }[]
    >`
      select u.username, u.role, u.first_name, u.password_hash, u.is_verified, u.is_active, u.custom_fields,
        u.created_at::date::text as created,
        array(select i.kind || ':' || i.value || case when i.verified_at is null then '?' else '' end
          from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id order by i.kind) as identities
      from users u where u.tenant_id = ${id ?? null} order by u.id`;
  };

  return { ...beside, file, importInto, tenant, people };
}

export const jsonLines = (rows: readonly object[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** What a report of refused rows says: of each line, the fields and what is wrong with them. */
export function refusals(path: string): Record<number, Record<string, string>> {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((text) => {
      const { line, issues } = JSON.parse(text) as {
        line: number;
        issues: { path: string; message: string }[];
      };
      return [line, Object.fromEntries(issues.map((issue) => [issue.path, issue.message]))];
    }),
  );
}
