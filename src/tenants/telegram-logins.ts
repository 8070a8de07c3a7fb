import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import { oneAtATime } from '../kernel/one-at-a-time.ts';
import { openText, type Secrets } from '../kernel/secrets.ts';
import type { TelegramLoginClient } from '../telegram/telegram.ts';
import type { ChangedBy } from './store.ts';
import { deleteTelegramLogin, readTelegramLogins, upsertTelegramLogin } from './telegram-logins-store.ts';

/** A tenant's client of Telegram's OpenID Connect login. */
export interface TenantTelegramLogin extends TelegramLoginClient {
  /** Does it stand in the configuration, not in the database? */
  configured: boolean;
}

/** The clients of every tenant, held in memory. Secrets are kept sealed; nothing ever answers with one. */
export interface TelegramLogins {
  of(tenantId: string): TenantTelegramLogin | undefined;
  reload(): Promise<void>;
  set(tenantId: string, client: TelegramLoginClient, by: ChangedBy): Promise<void>;
  /** @returns false when the tenant has none of its own */
  remove(tenantId: string, by: ChangedBy): Promise<boolean>;
  /** Reads them anew whenever tenants changed, here or on another server. */
  follow(tenants: { onChange(listener: () => void): void }): void;
}

export interface TelegramLoginsOptions {
  database: Database;
  secrets: Secrets;
  newId: () => string;
  log: Log;
  /** The client of the configuration and whose it is, once that tenant is known. */
  configured: () => { tenantId: string; client: TelegramLoginClient } | undefined;
}

export function createTelegramLogins(options: TelegramLoginsOptions): TelegramLogins {
  const { database, secrets, newId, log } = options;
  let logins: ReadonlyMap<string, TenantTelegramLogin> = new Map();

  const reload = oneAtATime(async () => {
    const found = new Map<string, TenantTelegramLogin>();
    for (const row of await readTelegramLogins(database)) {
      // Sealed with a secret that is gone: the operator sets it again, the server runs on.
      const clientSecret = openText(secrets, row.secret_sealed, contextOf(row.tenant_id));
      if (clientSecret === undefined) continue;
      found.set(row.tenant_id, { clientId: row.client_id, clientSecret, configured: false });
    }
    const configured = options.configured();
    if (configured && !found.has(configured.tenantId)) {
      found.set(configured.tenantId, { ...configured.client, configured: true });
    }
    logins = found;
  });

  return {
    of: (tenantId) => logins.get(tenantId),
    reload,
    async set(tenantId, { clientId, clientSecret }, by) {
      const secretSealed = secrets.seal(clientSecret, contextOf(tenantId));
      await upsertTelegramLogin(database, { tenantId, clientId, secretSealed }, { ...by, id: newId() });
      await reload();
    },
    async remove(tenantId, by) {
      const removed = await deleteTelegramLogin(database, tenantId, { ...by, id: newId() });
      if (removed) await reload();
      return removed;
    },
    follow(tenants) {
      tenants.onChange(() => {
        reload().catch((error: unknown) =>
          log.warn({ event: 'telegram_logins_reload', error }, 'clients of Telegram login could not be read'),
        );
      });
    },
  };
}

function contextOf(tenantId: string): string {
  return `telegram-login:${tenantId}`;
}
