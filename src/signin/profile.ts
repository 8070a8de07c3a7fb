import { recordEvent } from '../audit/audit.ts';
import { isUniqueViolation } from '../db/database.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { profileIssues } from '../registrations/registrations.ts';
import type { Access } from '../sessions/sessions.ts';
import { customFieldIssues } from '../tenants/tenants.ts';
import {
  changeProfile,
  findUser,
  type ProfileChanges,
  type PublicUser,
  publicUser,
  USERNAME_INDEX,
} from '../users/users.ts';
import { requireProof } from './require-proof.ts';
import type { RequestClues, SignInContext } from './context.ts';

/** The signed-in person's own account. */
export async function readProfile(
  context: SignInContext,
  access: Access,
): Promise<{ ok: true; user: PublicUser } | Refused> {
  const row = await findUser(context.databaseOf(access.tenant.id), access.tenant.id, access.userId);
  return row && !row.is_disabled ? { ok: true, user: publicUser(row) } : refuse('SESSION_ENDED');
}

/** Changes what the person may change of it; fields left out stay as they are. */
export async function updateProfile(
  context: SignInContext,
  access: Access,
  changes: ProfileChanges,
  clues: RequestClues,
): Promise<{ ok: true; user: PublicUser } | Refused> {
  const database = context.databaseOf(access.tenant.id);
  const { sql } = database;
  const now = database.now();
  const fields = Object.keys(changes);
  const issues = profileIssues(access.tenant, changes);
  if (changes.custom_fields !== undefined) {
    const { customFields } = access.tenant.policy;
    issues.push(...customFieldIssues(customFields, changes.custom_fields, '/custom_fields'));
  }
  if (issues.length > 0) return refuse('INVALID_REQUEST', { issues });
  // Where people sign in by it, it is an address like the others.
  if (changes.username !== undefined && access.tenant.policy.identifiers.includes('username')) {
    const unproved = await requireProof(context, access, 'username');
    if (unproved) return unproved;
  }
  if (fields.length > 0) {
    try {
      await sql`
        with changed as (${changeProfile(sql, access.tenant.id, access.userId, changes, now)}),
          audited as (${recordEvent(sql, {
            tenantId: access.tenant.id,
            id: sql`${context.newId()}::uuid`,
            action: sql`'user.updated'`,
            actor: sql`'user:' || changed.id`,
            subject: sql`'user:' || changed.id`,
            caller: clues.caller,
            now,
            data: sql`jsonb_build_object('fields', ${fields}::text[])`,
            from: sql`changed`,
          })})
        select id from changed`;
    } catch (fault) {
      if (!isUniqueViolation(fault, USERNAME_INDEX)) throw fault;
      return refuseField('/username', 'This username is taken. Choose another one.');
    }
  }
  return readProfile(context, access);
}
