import type { Database } from '../db/database.ts';

/** What became of the messages handed to one provider for one country. */
export interface DeliveryCounts {
  tenant_id: string;
  channel: string;
  provider: string;
  country: string | null;
  /** Null unless asked for by prefix. */
  prefix: string | null;
  /** Taken by the provider. */
  sent: number;
  delivered: number;
  failed: number;
  /** Not taken. */
  refused: number;
  /** Of the codes sent this way: used, and this was the last way they were sent before. */
  verified: number;
  /** Price of those taken, in the tenant's currency. */
  cost: number;
  /** Milliseconds from the hand-over to the used code, in the middle. */
  median_milliseconds: number | null;
}

/**
 * Counts what was handed to providers since a while. Conversion is derived from the verifications themselves: proving a
 * code writes nothing for it.
 */
export async function readDeliveryCounts(
  database: Database,
  query: { tenantId: string | null; sinceSeconds: number; byPrefix: boolean },
): Promise<DeliveryCounts[]> {
  const now = database.now();
  return database.sql<DeliveryCounts[]>`
    with sends as (
      select d.*, v.consumed_at, row_number() over (
          partition by d.tenant_id, d.verification_id, d.state in ('sent', 'delivered')
            and d.sent_at <= v.consumed_at
          order by d.sent_at desc, d.message_id desc, d.place desc) as latest
      from message_sends d
        left join verifications v on v.tenant_id = d.tenant_id and v.id = d.verification_id
      where d.sent_at > ${now} - make_interval(secs => ${query.sinceSeconds})
        and (${query.tenantId}::uuid is null or d.tenant_id = ${query.tenantId}::uuid)
    ),
    judged as (
      select tenant_id, channel, provider, country, state, price, sent_at, consumed_at,
        case when ${query.byPrefix}::boolean then prefix end as prefix,
        consumed_at is not null and state in ('sent', 'delivered') and sent_at <= consumed_at
        and latest = 1 as is_verified
      from sends
    )
    select tenant_id, channel, provider, country, prefix,
      count(*) filter (where state <> 'refused')::int as sent,
      count(*) filter (where state = 'delivered')::int as delivered,
      count(*) filter (where state = 'failed')::int as failed,
      count(*) filter (where state = 'refused')::int as refused,
      count(*) filter (where is_verified)::int as verified,
      coalesce(sum(price), 0)::float8 as cost,
      round(percentile_cont(0.5) within group (order by extract(epoch from consumed_at - sent_at) * 1000)
        filter (where is_verified))::float8 as median_milliseconds
    from judged
    group by tenant_id, channel, provider, country, prefix
    order by tenant_id, channel, sent desc, provider, country, prefix`;
}

/** How long providers took of late, from the hand-over to the used code, where there are enough of them to tell. */
export async function readSpeeds(
  database: Database,
  query: { sinceSeconds: number; leastSamples: number; mostSamples: number },
): Promise<{ provider: string; samples: number; median_milliseconds: number }[]> {
  return database.sql<{ provider: string; samples: number; median_milliseconds: number }[]>`
    select d.provider, count(*)::int as samples,
      percentile_cont(0.5) within group (order by extract(epoch from v.consumed_at - d.sent_at) * 1000)::float8
        as median_milliseconds
    from (
      select * from message_sends
      where sent_at > ${database.now()} - make_interval(secs => ${query.sinceSeconds})
        and state in ('sent', 'delivered') and place = 1
      order by sent_at desc limit ${query.mostSamples}
    ) d join verifications v on v.tenant_id = d.tenant_id and v.id = d.verification_id and v.consumed_at is not null
    group by d.provider having count(*) >= ${query.leastSamples}`;
}
