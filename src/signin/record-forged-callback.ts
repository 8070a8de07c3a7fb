import { type Caller, recordEvent } from '../audit/audit.ts';
import type { SignInContext } from './context.ts';

const HOUR = 3600;
/** Rows of one provider in an hour, whoever calls: a flood must not become the audit trail. */
const MOST_AN_HOUR = 20;
/** Callers that this server has written down of late; past so many it asks the database again. */
const MOST_REMEMBERED = 1000;

export type RecordRefusedCallback = (
  provider: string,
  why: 'forged' | 'stale',
  caller: Caller,
) => Promise<void>;

/**
 * Writes down that somebody reports in a provider's name without its signature, or with one that is too old: once an
 * hour for each provider and network, over all servers. It belongs to no tenant, so the deployment's first one has it.
 */
export function createForgedCallbackRecorder(
  context: Pick<SignInContext, 'tenants' | 'databaseOf' | 'buckets' | 'newId' | 'log'>,
  now: () => Date,
): RecordRefusedCallback {
  const known = new Map<string, number>();

  async function record(provider: string, why: string, caller: Caller): Promise<void> {
    const [byCaller, byProvider] = [`callback:${provider}:${why}:${caller.bucket}`, `callback:${provider}`];
    if ((known.get(byCaller) ?? 0) > now().getTime()) return;
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(byCaller, now().getTime() + HOUR * 1000);
    if (!(await context.buckets.take(byCaller, 1, HOUR)).allowed) return;
    if (!(await context.buckets.take(byProvider, MOST_AN_HOUR, HOUR)).allowed) return;
    const tenant = context.tenants.bySlug('default') ?? context.tenants.all()[0];
    if (!tenant) return;
    context.log.warn(
      { event: `callback_${why}`, provider },
      why === 'forged'
        ? 'a delivery report was not signed by its provider: somebody else calls, or the secret or public URL is not the one it signs with'
        : 'a delivery report was signed too long ago: repeated by somebody, or a clock is wrong',
    );
    const database = context.databaseOf(tenant.id);
    const { sql } = database;
    const recorded = recordEvent(sql, {
      tenantId: tenant.id,
      id: sql`${context.newId()}::uuid`,
      action: sql`${`callback.${why}`}::text`,
      actor: sql`'anonymous'`,
      subject: sql`${`provider:${provider}`}::text`,
      caller,
      now: database.now(),
      from: sql`(select 1) once`,
    });
    await sql`${recorded}`;
  }

  return async (provider, why, caller) => {
    await record(provider, why, caller).catch((error: unknown) =>
      context.log.warn({ event: 'callback_not_recorded', error }, 'a refused callback was not written down'),
    );
  };
}
