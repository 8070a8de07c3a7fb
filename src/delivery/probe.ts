import type { Database } from '../db/database.ts';
import { generateCode } from '../kernel/code.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { tryProvider } from './carry.ts';
import { PROVIDER_TIMEOUT_MILLISECONDS } from './policy.ts';
import type { ChatOf, Provider, SendResult } from './provider.ts';
import { envelopeOf, type Task } from './task.ts';
import { createFindWays } from './ways.ts';

/** What one provider answered to a test message. */
export interface Probed {
  provider: string;
  result: SendResult;
  tookMilliseconds: number;
}

/** What became of a test message: each provider that was asked, the last one perhaps having taken it. */
export type ProbeOutcome =
  | { ok: true; text: string; code: string; probed: readonly Probed[] }
  /** `none`: no provider carries it there. `unknown`: none of them has that name. */
  | { ok: false; reason: 'none' | 'unknown'; names: readonly string[] };

export interface ProbeOrder {
  tenant: Tenant;
  database: Database;
  channel: string;
  /** E.164, an e-mail address or a chat id. */
  to: string;
  locale: string;
  /** Only this provider; left out: as a code would go, until one takes it. */
  provider?: string | undefined;
}

export interface ProbeOptions {
  providers: readonly Provider[];
  chatOf: ChatOf | undefined;
  newId: () => string;
  providerTimeoutMilliseconds: number | undefined;
}

/** Longer than anything is tried for. */
const EXPIRES_IN_SECONDS = 300;

/**
 * Sends what looks like a code by the providers that a code would go by, at once and past the outbox, and tells what
 * each of them answered. Its code was made for nothing and opens nothing. For operators, at the terminal.
 */
export function createProbe(options: ProbeOptions): (order: ProbeOrder) => Promise<ProbeOutcome> {
  const findWays = createFindWays({ ...options, speeds: () => new Map() });
  const timeout = options.providerTimeoutMilliseconds ?? PROVIDER_TIMEOUT_MILLISECONDS;
  return async ({ tenant, database, channel, to, locale, provider: wanted }) => {
    const code = generateCode(tenant.policy.codeLength('sign_in'));
    const task: Task = {
      database,
      ...{ tenantId: tenant.id, id: options.newId(), channel, plan: [channel], tried: [], attempts: 1 },
      content: {
        ...{ template: 'sign_in_code', to, channel, locale, tenantName: tenant.name, name: null, code },
        expiresIn: EXPIRES_IN_SECONDS,
      },
      ...{ expiresIn: EXPIRES_IN_SECONDS, leasedAt: performance.now(), toll: null },
    };
    const ways = await findWays(task, tenant);
    const names = ways.map(({ provider }) => provider.name);
    const asked = wanted === undefined ? ways : ways.filter(({ provider }) => provider.name === wanted);
    if (asked.length === 0) return { ok: false, reason: names.length === 0 ? 'none' : 'unknown', names };
    const probed: Probed[] = [];
    for (const way of asked) {
      const envelope = envelopeOf(task, tenant, way.to);
      const { result, tookMilliseconds } = await tryProvider(way.provider, () => envelope, timeout);
      probed.push({ provider: way.provider.name, result, tookMilliseconds });
      if (result.state === 'sent') break;
    }
    return { ok: true, text: envelopeOf(task, tenant, to).text, code, probed };
  };
}
