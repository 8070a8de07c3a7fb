import postgres from 'postgres';

/** Stored accounts carry the addresses `returning-0@example.com` … that the load program signs in with. */

/**
 * Fills Firstproof's tables with that many proved e-mail accounts of the tenant `default`, in SQL.
 * The server must have started on the database once: it makes the tables and the tenant.
 */
export async function fillFirstproof(databaseUrl: string, accounts: number): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (transaction) => {
      await transaction`
        create temporary table filling on commit drop as
        select (select id from tenants where slug = 'default') as tenant_id, uuidv7() as user_id,
               uuidv7() as identity_id, 'returning-' || n || '@example.com' as address
        from generate_series(0, ${accounts - 1}::int) n`;
      await transaction`
        insert into users (tenant_id, id, is_verified, created_at, updated_at)
        select tenant_id, user_id, true, now(), now() from filling`;
      await transaction`
        insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
        select tenant_id, 'email', address, identity_id, user_id, address, now(), now() from filling`;
    });
  } finally {
    await sql.end();
  }
}

/** The same for Better Auth's table. Its server must have started on the database once. */
export async function fillBetterAuth(databaseUrl: string, accounts: number): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`
      insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
      select replace(gen_random_uuid()::text, '-', ''), '', 'returning-' || n || '@example.com', true,
             now(), now()
      from generate_series(0, ${accounts - 1}::int) n`;
  } finally {
    await sql.end();
  }
}

/**
 * Does what autovacuum does within a minute or two of a start: statistics, so that plans are not those of empty
 * tables, and no clean-up left to the time of the measurement.
 */
export async function settleDatabase(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`vacuum analyze`;
    await sql`checkpoint`;
  } finally {
    await sql.end();
  }
}
