import { type Refused, refuse } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { WaitingRow } from '../verification/verification.ts';
import { type Address, maskAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { tenantsOfHandle } from './resend-otp.ts';

/** What a screen shows while a code is on its way. Durations are whole seconds. */
export interface VerificationStatus {
  ok: true;
  tenant: Tenant;
  /** The verification's own id, under which changes are told. */
  id: string;
  channel: string;
  state: 'queued' | 'sending' | 'sent' | 'delivered' | 'failed';
  nextChannel: string | null;
  nextChannelIn: number | null;
  /** live: the code can still be used. used, expired, exhausted: it is over. */
  verificationState: 'live' | 'used' | 'expired' | 'exhausted';
  destination: string;
  expiresIn: number;
  resendIn: number;
  attemptsLeft: number;
  /** Seconds until something changes by time alone; null: nothing does. */
  changesIn: number | null;
}

interface Progress {
  channel: string;
  state: VerificationStatus['state'];
  nextChannel: string | null;
  nextChannelIn: number | null;
}

/**
 * Tells whoever holds the handle how its message travels. Only the handle opens it; a decoy's is answered like any other.
 */
export async function verificationStatus(
  context: SignInContext,
  input: { verification_id: string; tenant?: string },
  clues: RequestClues,
): Promise<VerificationStatus | Refused> {
  for (const tenant of tenantsOfHandle(context, input.tenant, clues)) {
    const database = context.databaseOf(tenant.id);
    const row = await context.verifications.findByHandle(database, tenant.id, input.verification_id);
    if (!row) continue;
    const told = maySeeTruth(tenant, row)
      ? await context.delivery.statusOf(database, tenant.id, row.id)
      : undefined;
    const progress: Progress = told ?? scheduled(context, tenant, row);
    const isLive = row.state === 'live';
    const { nextChannel, nextChannelIn } = isLive ? progress : { nextChannel: null, nextChannelIn: null };
    const expiresIn = isLive ? Math.max(0, row.expires_in) : 0;
    const resendIn = isLive ? Math.max(0, context.budgets.resendIn() - row.sent_ago) : 0;
    const waits = [nextChannelIn, isLive ? expiresIn : null].filter(
      (wait) => wait !== null && wait > 0,
    ) as number[];
    return {
      ok: true,
      tenant,
      id: row.id,
      channel: progress.channel,
      state: progress.state,
      nextChannel,
      nextChannelIn,
      verificationState: row.state === 'dead' ? 'exhausted' : row.state,
      destination: maskAddress({ kind: row.kind as Address['kind'], value: row.value }),
      expiresIn,
      resendIn,
      attemptsLeft: isLive ? row.attempts_left : 0,
      changesIn: waits.length > 0 ? Math.min(...waits) : null,
    };
  }
  return refuse('VERIFICATION_NOT_FOUND');
}

/**
 * What really happened to a message tells that somebody got one, and by Telegram that a chat is linked. Where nobody may
 * learn who has an account (S22) the plan and the clock are told instead.
 */
function maySeeTruth(tenant: Tenant, row: WaitingRow): boolean {
  return tenant.policy.errorDetail === 'explicit' && row.purpose !== 'recover' && !row.is_decoy;
}

/** How it goes where everything goes well and nobody answers: the same for a decoy as for a real one. */
function scheduled(context: SignInContext, tenant: Tenant, row: WaitingRow): Progress {
  const kind = row.kind as Address['kind'];
  const planned = context.delivery.planOf(tenant, { kind, value: row.value }, row.channel);
  const plan = planned.length > 0 ? planned : [row.channel];
  const silence = tenant.policy.delivery.nextChannelAfterSeconds;
  const passed = Math.max(0, row.sent_ago);
  const place = silence === 0 ? 0 : Math.min(plan.length - 1, Math.floor(passed / silence));
  const nextChannel = plan[place + 1] ?? null;
  return {
    channel: plan[place] ?? row.channel,
    state: row.sent_ago < 0 ? 'queued' : 'sent',
    nextChannel,
    nextChannelIn: nextChannel === null || silence === 0 ? null : (place + 1) * silence - passed,
  };
}
