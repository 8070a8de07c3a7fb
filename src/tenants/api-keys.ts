import { type Database, hexArray } from '../db/database.ts';
import { createLru } from '../kernel/lru.ts';
import { randomToken, type Secrets } from '../kernel/secrets.ts';

export const apiKeyScopes = ['introspect', 'revoke', 'service', 'admin'] as const;
/** introspect and revoke: those two calls. service: bots that run elsewhere. admin: everything. */
export type ApiKeyScope = (typeof apiKeyScopes)[number];

export interface KnownApiKey {
  id: string;
  /** Null: every tenant of the deployment. */
  tenantId: string | null;
  name: string;
  scopes: readonly ApiKeyScope[];
}

export interface ApiKeyEntry extends KnownApiKey {
  createdAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

/** API keys: shown once, kept as a keyed hash. */
export interface ApiKeys {
  /** Makes a key and returns its text, which is not kept. */
  create(key: {
    tenantId: string | null;
    name: string;
    scopes: readonly ApiKeyScope[];
  }): Promise<{ id: string; text: string }>;
  /** Makes sure a key of this text exists: development mode keeps one with its data. */
  ensure(key: {
    tenantId: string | null;
    name: string;
    scopes: readonly ApiKeyScope[];
    text: string;
  }): Promise<void>;
  /** The live key of this text. */
  find(text: string): Promise<KnownApiKey | undefined>;
  list(): Promise<ApiKeyEntry[]>;
  /** @returns false when there is no live key of this id */
  revoke(id: string): Promise<boolean>;
}

/** A revoked key stops within this time on every server. */
const REMEMBER_MILLISECONDS = 5000;

/** Makes the text of a new key: `fp_sk_` and 256 random bits. */
export function newApiKeyText(): string {
  return `fp_sk_${randomToken(32)}`;
}

export function createApiKeys(database: Database, secrets: Secrets, newId: () => string): ApiKeys {
  const { sql } = database;
  const remembered = createLru<string, { key: KnownApiKey; until: number }>(1000);

  async function insert(key: KnownApiKey & { text: string }): Promise<void> {
    await sql`
      insert into api_keys (id, tenant_id, name, scopes, key_hash)
      values (${key.id}, ${key.tenantId}, ${key.name}, ${key.scopes as string[]}, ${secrets.mac('api-key', key.text)})
      on conflict (key_hash) do nothing`;
  }

  return {
    async create(key) {
      const text = newApiKeyText();
      const id = newId();
      await insert({ ...key, id, text });
      return { id, text };
    },
    ensure: (key) => insert({ ...key, id: newId() }),
    async find(text) {
      if (!/^fp_sk_[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
      const known = remembered.get(text);
      if (known && known.until > performance.now()) return known.key;
      const [row] = await sql<
        { id: string; tenant_id: string | null; name: string; scopes: ApiKeyScope[] }[]
      >`
        update api_keys set last_used_at = ${database.now()}
        where key_hash in (select decode(hash, 'hex') from unnest(${hexArray(secrets.macs('api-key', text))}::text[]) hash) and revoked_at is null
        returning id, tenant_id, name, scopes`;
      if (!row) {
        remembered.delete(text);
        return undefined;
      }
      const key = { id: row.id, tenantId: row.tenant_id, name: row.name, scopes: row.scopes };
      remembered.set(text, { key, until: performance.now() + REMEMBER_MILLISECONDS });
      return key;
    },
    async list() {
      const rows = await sql`
        select id, tenant_id, name, scopes, created_at, last_used_at, revoked_at from api_keys order by created_at`;
      return rows.map((row) => ({
        id: row['id'] as string,
        tenantId: row['tenant_id'] as string | null,
        name: row['name'] as string,
        scopes: row['scopes'] as ApiKeyScope[],
        createdAt: row['created_at'] as Date,
        lastUsedAt: row['last_used_at'] as Date | null,
        revokedAt: row['revoked_at'] as Date | null,
      }));
    },
    async revoke(id) {
      const result =
        await sql`update api_keys set revoked_at = now() where id = ${id} and revoked_at is null`;
      remembered.clear();
      return result.count > 0;
    },
  };
}
