import { type Refused, refuse } from '../kernel/errors.ts';
import type { SessionStyle } from '../sessions/sessions.ts';
import {
  SIGNED_DATA_LIFE_SECONDS,
  type SignedData,
  verifyInitData,
  verifyWidgetData,
} from '../telegram/telegram.ts';
import { signInAttested } from './attested-sign-in.ts';
import type { RequestClues, SignInContext } from './context.ts';
import type { SignedIn } from './signed-in.ts';
import { NOT_SET_UP } from './telegram-link.ts';

export interface SignedDataInput {
  tenant?: string;
  /** `Telegram.WebApp.initData` of a Mini App, as it stands. */
  init_data?: string;
  /** What the older login widget hands over. */
  widget?: Readonly<Record<string, string | number>>;
  device?: { name?: string; kind?: string };
  style?: SessionStyle;
}

/** Past this age the data is refused for its age, so that its use need no longer be remembered; leeway included. */
const REMEMBER_SECONDS = SIGNED_DATA_LIFE_SECONDS + 60;

/**
 * Signs in by data that Telegram has signed for the tenant's bot, or for one the tenant names. It works once, and for
 * five minutes (S41).
 */
export async function signInBySignedData(
  context: SignInContext,
  input: SignedDataInput,
  clues: RequestClues,
): Promise<SignedIn | Refused> {
  const tenant = context.tenants.resolve({
    header: clues.tenantHeader,
    body: input.tenant,
    host: clues.host,
  });
  if (!tenant) return refuse('TENANT_NOT_FOUND');
  const { botIds } = tenant.policy.telegramSignIn;
  const botToken = context.telegramSignIn.tokenOf(tenant.id);
  const trusted = botToken !== undefined || botIds.length > 0;
  if (!trusted || !tenant.policy.channels.includes('telegram')) {
    return refuse('CHANNEL_UNAVAILABLE', {}, NOT_SET_UP);
  }
  const now = context.telegramSignIn.now();
  const { publicKey } = context.telegramSignIn;
  const checked: SignedData =
    input.init_data === undefined
      ? verifyWidgetData(input.widget ?? {}, botToken, now)
      : verifyInitData(input.init_data, { botToken, botIds, ...(publicKey ? { publicKey } : {}) }, now);
  // Forged and stale are one answer: whoever forges learns nothing of how far they came.
  if (!checked.ok) return refuse('TELEGRAM_DATA_INVALID');
  const { person, name } = checked;
  const outcome = await signInAttested(
    context,
    {
      tenant,
      kind: 'telegram',
      value: person.id,
      spend: (sql, sqlNow) =>
        context.telegramSignIn.proofs.spendData(sql, {
          tenantId: tenant.id,
          name,
          value: person.id,
          lifeSeconds: REMEMBER_SECONDS,
          now: sqlNow,
        }),
      way: input.init_data === undefined ? 'widget' : 'init_data',
      names: person,
      device: input.device,
      style: input.style,
    },
    clues,
  );
  return outcome ?? refuse('TELEGRAM_DATA_INVALID');
}
