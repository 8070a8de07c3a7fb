import type { Fragment, Sql } from '../db/database.ts';
import { ADMINISTRATOR_LIFE_SECONDS } from './policy.ts';

/** A session to be opened, as a row of `given`, beside `tenant_id`, `id`, `ip` and `user_agent`. */
export interface GivenSession {
  session_id: string;
  device_id: string;
  style: 'jwt' | 'opaque';
  session_seconds: number;
  device_kind: string;
  device_name: string;
}

/** The columns of GivenSession, for the list of a json_to_recordset. */
export const givenSessionColumns = (sql: Sql): Fragment => sql`
  session_id uuid, device_id uuid, style text, session_seconds float8, device_kind text, device_name text`;

/**
 * As openFragment, for each row of `entering` (verification_id, kind, tenant_id, id, role, is_disabled): `device` and
 * `opened`. A closed account gets none.
 */
export function openEachFragment(sql: Sql, amr: readonly string[], now: Fragment): Fragment {
  return sql`
    device as (
      insert into devices (tenant_id, id, user_id, kind, name, user_agent, last_ip, first_seen, last_seen)
      select e.tenant_id, g.device_id, e.id, g.device_kind, g.device_name, g.user_agent, g.ip, ${now}, ${now}
      from entering e join given g on g.id = e.verification_id and g.tenant_id = e.tenant_id
      where not e.is_disabled
    ),
    opened as (
      insert into sessions (tenant_id, id, user_id, device_id, style, amr, proofs, created_at, last_used_at, expires_at)
      select e.tenant_id, g.session_id, e.id, g.device_id, g.style, ${amr as string[]}::text[],
        jsonb_build_object(e.kind, ${now}), ${now}, ${now}, ${now} + make_interval(secs => least(g.session_seconds,
          case when e.role = 'admin' then ${ADMINISTRATOR_LIFE_SECONDS}::float8 end))
      from entering e join given g on g.id = e.verification_id and g.tenant_id = e.tenant_id
      where not e.is_disabled
      returning id, device_id, created_at, expires_at
    )`;
}
