import { randomUUID } from 'node:crypto';
import { hash as argon2 } from '@node-rs/argon2';
import assert from 'node:assert/strict';
import type { TestApp } from '../create-test-app.ts';

/** What may stand behind an address. `imported`: an account whose address was never proved. */
export const states = ['known', 'closed', 'imported', 'waiting', 'nobody'] as const;
export type State = (typeof states)[number];

const RIGHT_PASSWORD = 'violet-Harbour-42';
export const WRONG_PASSWORD = 'amber-Lantern-77';

let hashed: Promise<string> | undefined;

/** Writes people of one state as they stand in the database some time after they came. */
export async function writePeople(app: TestApp, state: State, emails: readonly string[]): Promise<void> {
  if (state === 'nobody') return;
  const { sql } = app.databases.control;
  const tenantId = app.app.tenants.bySlug('default')?.id ?? '';
  const now = app.clock.now();
  hashed ??= argon2(RIGHT_PASSWORD);
  const passwordHash = await hashed;
  const expiresAt = new Date(now.getTime() + 86_000_000);
  const isProved = state !== 'imported';
  await Promise.all(
    emails.map(async (value) => {
      const id = randomUUID();
      if (state === 'waiting') {
        await sql`
          insert into pending_registrations (tenant_id, id, kind, value, password_hash, created_at, updated_at, expires_at)
          values (${tenantId}, ${id}, 'email', ${value}, ${passwordHash}, ${now}, ${now}, ${expiresAt})`;
        return;
      }
      await sql`
        insert into users (tenant_id, id, password_hash, is_verified, is_disabled, created_at, updated_at)
        values (${tenantId}, ${id}, ${passwordHash}, ${isProved}, ${state === 'closed'}, ${now}, ${now})`;
      await sql`
        insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
        values (${tenantId}, 'email', ${value}, ${randomUUID()}, ${id}, ${value}, ${isProved ? now : null}, ${now})`;
    }),
  );
}

/** How openly the tenant `default` answers from now on. */
export async function setErrorDetail(
  app: TestApp,
  errorDetail: 'explicit' | 'uniform' | 'after_proof',
): Promise<void> {
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, error_detail: errorDetail } });
}

/** Where two texts part, with a little of each. */
export function difference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const from = Math.max(0, at - 60);
  return `${one.slice(from, at + 160)} NOT ${other.slice(from, at + 160)}`;
}
