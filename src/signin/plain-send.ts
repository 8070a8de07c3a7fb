import { recordEach } from '../audit/audit.ts';
import type { Database } from '../db/database.ts';
import type { Delivery, PreparedMessage } from '../delivery/delivery.ts';
import type { AddressBudgets } from '../limits/limits.ts';
import { type GivenMessage, givenMessageColumns } from '../outbox/outbox.ts';
import {
  codeTemplateOf,
  type GivenVerification,
  givenVerificationColumns,
  type MadeVerification,
  type Verifications,
} from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { closesAtPeace } from './guessed-address.ts';
import type { CodeRequest } from './send-verification.ts';
import { createTogether, type Together, type TogetherOptions, withoutWaiting } from './together.ts';

/** One request's row in the statement: what the folders that write it ask for, and what its event tells. */
interface PlainSend extends GivenVerification, GivenMessage {
  tenant_id: string;
  audit_id: string;
  ip: string;
  user_agent: string | null;
}

/** Writes sends together; true where the address's budget was taken and everything was written. */
export type PlainSends = Together<PlainSend, true>;

/**
 * The sends against which nothing speaks, as many as arrive together in one statement: budget, verification, message and
 * event of each, or nothing of it. Each address appears once; who comes twice goes alone, and waits for the first.
 */
export function createPlainSends(parts: {
  budgets: AddressBudgets;
  verifications: Verifications;
  delivery: Delivery;
  together: TogetherOptions;
}): PlainSends {
  const { budgets, verifications, delivery } = parts;
  return createTogether<PlainSend, true>(async (database, sends) => {
    const { sql } = database;
    const now = database.now();
    const recorded = recordEach(sql, {
      id: sql`g.audit_id`,
      action: sql`'verification.sent'`,
      actor: sql`'anonymous'`,
      subject: sql`g.kind || ':' || g.value`,
      now,
      data: sql`jsonb_build_object('channel', g.channel, 'purpose', g.purpose)`,
      from: sql`given g where g.id in (select taken_by from budget)`,
    });
    const rows = await sql<{ id: string }[]>`
      with given as materialized (
        select distinct on (tenant_id, kind, value) * from json_to_recordset(${JSON.stringify(sends)}::text::json) as g (
          tenant_id uuid, audit_id uuid, ip text, user_agent text,
          ${givenVerificationColumns(sql)}, ${givenMessageColumns(sql)})
        where ${withoutWaiting(sql)}
        order by tenant_id, kind, value
      ),
        ${budgets.takePlainSends(sql, now)},
        issued as (${verifications.issueEach(sql, now, sql`given g where g.id in (select taken_by from budget)`)}),
        queued as (${delivery.queueEach(sql, now, sql`given g where g.id in (select id from issued)`)}),
        recorded as (${recorded})
      select id from issued`;
    const written = new Set(rows.map((row) => row.id));
    return sends.map(({ id }) => (written.has(id) ? true : undefined));
  }, parts.together);
}

/**
 * Does nothing but the address's budget decide whether this code goes out? Where a registration may wait it is asked
 * alone, and so is the decoy that stands for one: what nobody registered must not answer sooner (S22).
 */
function isPlain(request: CodeRequest): boolean {
  const { purpose, registration, of, alongside, contested, patient, vouchesPassword } = request;
  return !(
    purpose === 'register' ||
    registration ||
    of ||
    alongside ||
    contested ||
    patient ||
    vouchesPassword
  );
}

/** What was written for a plain send. */
export interface SentPlainly {
  made: MadeVerification;
  prepared: PreparedMessage;
}

/** Issues a new code together with others; undefined where it has to go alone. */
export async function sendPlainly(
  context: SignInContext,
  database: Database,
  request: CodeRequest & { codeLength: number },
  clues: RequestClues,
): Promise<SentPlainly | undefined> {
  if (!isPlain(request)) return undefined;
  const { tenant, address, channel, locale, decoy, purpose } = request;
  const { codeLifetimeSeconds } = tenant.policy;
  const issued = context.verifications.prepare({
    tenantId: tenant.id,
    purpose,
    channel,
    ...address,
    locale,
    codeLength: request.codeLength,
    lifetimeSeconds: codeLifetimeSeconds,
    userId: request.userId,
    decoy: decoy !== undefined,
    closesAddress: await closesAtPeace(context, clues),
    startedBy: clues.caller.bucket,
  });
  const { made } = issued;
  const message = context.delivery.prepare({
    tenantId: tenant.id,
    verificationId: decoy === undefined ? made.id : null,
    tollsTaken: true,
    content: {
      template: decoy === 'already_registered' ? decoy : codeTemplateOf(purpose),
      to: address.kind === 'email' ? address.asEntered : address.value,
      code: decoy === undefined ? made.code : null,
      tenantName: tenant.name,
      name: request.name ?? null,
      locale,
      channel,
      expiresIn: codeLifetimeSeconds,
    },
    decoy: decoy === 'silent',
  });
  const written = await context.plainSends.write(database, {
    tenant_id: tenant.id,
    audit_id: context.newId(),
    ip: clues.caller.ip,
    user_agent: clues.caller.userAgent ?? null,
    ...issued.row,
    ...message.row,
  });
  return written && { made, prepared: message.prepared };
}
