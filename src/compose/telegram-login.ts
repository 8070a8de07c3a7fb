import type { Secrets } from '../kernel/secrets.ts';
import { createTelegramLogin, type TelegramLogin } from '../telegram/telegram.ts';
import { createTelegramLogins, type TelegramLogins, type Tenants } from '../tenants/tenants.ts';
import type { AppOptions } from './options.ts';

/** Telegram's OpenID Connect login: the clients of the tenants, and the side that relies on it. */
export function composeTelegramLogin(
  options: AppOptions,
  { tenants, secrets, newId }: { tenants: Tenants; secrets: Secrets; newId: () => string },
): { logins: TelegramLogins; login: TelegramLogin } {
  const { config, databases, clock, log } = options;
  const { telegramLoginClientId: clientId, telegramLoginClientSecret: clientSecret } = config;
  const logins = createTelegramLogins({
    database: databases.control,
    secrets,
    newId,
    log,
    configured() {
      const tenant = tenants.bySlug('default');
      if (!tenant || clientId === undefined || clientSecret === undefined) return undefined;
      return { tenantId: tenant.id, client: { clientId, clientSecret } };
    },
  });
  logins.follow(tenants);
  const login = createTelegramLogin({
    fetch: options.fetch ?? fetch,
    now: () => clock.now(),
    timeoutMilliseconds: options.providerTimeoutMilliseconds,
  });
  return { logins, login };
}
