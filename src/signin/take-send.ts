import { type Refused, refuse } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { TollTaken } from '../tolls/tolls.ts';
import type { Address } from './address.ts';
import { announceMoney } from './announce-money.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { takeOfCaller } from './prove-work.ts';

/** Whom a code would go to. */
export interface WantedSend {
  tenant: Tenant;
  address: Pick<Address, 'kind' | 'value'>;
  channel: string;
  /** By somebody signed in, or in a chat: no challenge is put to them. */
  isKnown?: boolean;
}

/**
 * Takes one send from the caller's hour and, where it costs money, from the tenant's tolls. The caller's first: whoever
 * is past their hour would else hold places of the tenant's budgets, for a moment with each request and for nothing,
 * and by many requests at once keep everybody else from an SMS.
 * Throws QueueFull, before anything is taken, where more sends wait already than are waited for.
 */
export async function takeSend(
  context: SignInContext,
  wanted: WantedSend,
  clues: RequestClues,
): Promise<Refused | undefined> {
  context.plainSends.expectRoom(context.databaseOf(wanted.tenant.id));
  const refused = await takeOfCaller(context, clues, 'send', wanted.isKnown);
  if (refused) return refused;
  const toll = await takeToll(context, wanted);
  if (!toll || toll.ok) return undefined;
  if (toll.reason === 'money') await announceMoney(context, wanted.tenant, toll.retryAfter);
  return explainToll(toll, wanted.tenant);
}

/** The tolls alone, for sends that no caller's budget pays for. */
export async function takeTollOnly(context: SignInContext, wanted: WantedSend): Promise<Refused | undefined> {
  const toll = await takeToll(context, wanted);
  return !toll || toll.ok ? undefined : explainToll(toll, wanted.tenant);
}

async function takeToll(context: SignInContext, wanted: WantedSend): Promise<TollTaken | undefined> {
  return context.tolls.costs(wanted.channel) ? context.tolls.take(requestOf(context, wanted)) : undefined;
}

/** The message was not sent after all. */
export async function giveTollBack(context: SignInContext, wanted: WantedSend): Promise<void> {
  if (context.tolls.costs(wanted.channel)) await context.tolls.giveBack(requestOf(context, wanted));
}

function requestOf({ delivery }: Pick<SignInContext, 'delivery'>, { tenant, address, channel }: WantedSend) {
  const phone = address.value;
  const price = delivery.mostCost(tenant, channel, phone);
  return { tenantId: tenant.id, policy: tenant.policy.tolls, phone, channel, price };
}

function explainToll(toll: TollTaken & { ok: false }, tenant: Tenant): Refused {
  const next_action = 'USE_ANOTHER_CHANNEL';
  switch (toll.reason) {
    case 'unset':
      return refuse(
        'COUNTRY_NOT_ALLOWED',
        { next_action },
        `No country is open for SMS and calls here yet. Its operator opens them with: firstproof tenant set ${tenant.slug} tolls.countries=US`,
      );
    case 'country':
      return refuse('COUNTRY_NOT_ALLOWED', { next_action });
    case 'range':
      return refuse('COUNTRY_NOT_ALLOWED', { next_action }, 'Numbers of this kind are not sent codes.');
    case 'blocked':
    case 'budget':
    case 'money':
      return refuse('CHANNEL_UNAVAILABLE', { retry_after: toll.retryAfter, next_action });
  }
}
