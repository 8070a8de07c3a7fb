import { recordEvent } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import { claimRegistration } from '../registrations/registrations.ts';
import { type Access, liveSession } from '../sessions/sessions.ts';
import { link as linkIdentity } from '../users/users.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { chooseLocale } from './send-verification.ts';

/** A proved address that is to become one of an account's. */
export interface AddressToLink {
  /** The session that began it; it must still live. */
  access: Pick<Access, 'tenant' | 'userId' | 'sessionId'>;
  kind: 'telegram' | 'phone';
  /** `with` entry `spent`: takes the proof, once; one row with `value`. */
  spend: (sql: Sql, now: Fragment) => Fragment;
  way: string;
  /** Nobody tells the owner of an account that was made a moment ago what it was made of. */
  tellsOwner: boolean;
}

/**
 * Links a proved address to an account, in one statement: proof, verification, identity, event and the notice to the
 * owner. `spent`: the proof was taken before. `taken`: the address is another account's; the proof is used up all the same.
 */
export async function linkAddress(
  context: SignInContext,
  sql: Sql,
  link: AddressToLink,
  clues: RequestClues,
): Promise<'linked' | 'taken' | 'spent'> {
  const { kind } = link;
  const { tenant, userId, sessionId } = link.access;
  const tenantId = tenant.id;
  const now = context.databaseOf(tenantId).now();
  const attestation = context.verifications.attest(sql, {
    tenantId,
    purpose: 'link',
    userId,
    kind,
    locale: chooseLocale(tenant, undefined, clues),
    channel: 'telegram',
    value: sql`spent.value`,
    now,
  });
  const audited = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`case when linked.id is null then 'identity.link_refused' else 'identity.linked' end`,
    actor: sql`${`user:${userId}`}`,
    subject: sql`proof.kind || ':' || proof.value`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('verification_id', proof.id, 'way', ${link.way}::text)`,
    from: sql`proof left join linked on true`,
  });
  const told = context.notices.tell(sql, {
    tenantId,
    kind: 'identity_added',
    userId: sql`${userId}::uuid`,
    sessionId: sql`${sessionId}::uuid`,
    details: sql`jsonb_build_object('added',
      jsonb_build_object('id', linked.id, 'kind', linked.kind, 'value', linked.value))`,
    now,
    from: link.tellsOwner ? sql`linked` : sql`linked where false`,
  });
  const [row] = await sql<{ linked: boolean }[]>`
    with spent as (${link.spend(sql, now)}),
      ${attestation.fragment},
      ${claimRegistration(sql, tenantId, now)},
      ${linkIdentity(sql, {
        tenantId,
        userId,
        newIdentityId: context.newId(),
        replacesId: null,
        now,
        guard: sql`${liveSession(sql, tenantId, sessionId)} guard`,
      })},
      told as (${told}),
      audited as (${audited})
    select linked.id is not null as linked from proof left join linked on true`;
  if (!row) return 'spent';
  return row.linked ? 'linked' : 'taken';
}
