import { recordEvent } from '../audit/audit.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { RequestClues, SignInContext } from './context.ts';

const MINUTE = 60;
const HOUR = 3600;
/** Tokens that were never ours, asked about in a minute: from one network with one API key, and with that key at all. */
const WRONG_BY_CALLER = 300;
const WRONG_BY_KEY = 3000;

/**
 * Counts a token that was never ours against the API key that asked about it (S43). Tokens of ours, alive, expired or
 * ended, are never counted and never refused: a back end asks about them as fast as it likes, also while somebody sends
 * it nonsense to ask about. The first refusal of an hour stands in the audit trail.
 */
export async function takeWrongToken(
  context: SignInContext,
  apiKey: { id: string; tenantId: string | null },
  clues: RequestClues,
): Promise<Refused | undefined> {
  const byCaller = `introspect:${apiKey.id}:${clues.caller.bucket}`;
  const [caller, key] = await Promise.all([
    context.buckets.take(byCaller, WRONG_BY_CALLER, MINUTE),
    context.buckets.take(`introspect:${apiKey.id}`, WRONG_BY_KEY, MINUTE),
  ]);
  if (caller.allowed && key.allowed) return undefined;
  const told = await context.buckets.take(`introspect-told:${byCaller}`, 1, HOUR);
  if (told.allowed) await record(context, apiKey, clues);
  return refuse(
    'RATE_LIMITED',
    { retry_after: Math.max(caller.retryAfter, key.retryAfter) },
    'Too many tokens that are not ours. Those of ours are still answered.',
  );
}

async function record(
  context: SignInContext,
  { id, tenantId }: { id: string; tenantId: string | null },
  { caller }: RequestClues,
): Promise<void> {
  context.log.warn(
    { event: 'introspection_limited' },
    'a service asks about many tokens that are not ours: its own, or somebody sends it nonsense',
  );
  const tenant = tenantId ?? context.tenants.bySlug('default')?.id ?? context.tenants.all()[0]?.id;
  if (tenant === undefined) return;
  const database = context.databaseOf(tenant);
  const { sql } = database;
  await sql`${recordEvent(sql, {
    tenantId: tenant,
    id: sql`${context.newId()}::uuid`,
    action: sql`'introspection.limited'`,
    actor: sql`${`api_key:${id}`}::text`,
    subject: sql`${`api_key:${id}`}::text`,
    caller,
    now: database.now(),
    from: sql`(select 1) once`,
  })}`;
}
