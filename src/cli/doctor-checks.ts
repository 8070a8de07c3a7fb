import type { Config } from '../config/config.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { DatabaseFacts } from './database-facts.ts';

/** One line of the doctor: what was looked at, what was seen, and what to do where it is not well. */
export interface Finding {
  level: 'ok' | 'warn' | 'fail';
  subject: string;
  message: string;
  remedy?: string;
}

/** A setting that nobody reads is found here, not when it is missed. */
export function checkSpelling(misspelt: Config['misspelt']): Finding[] {
  return misspelt.map(({ name, meant }) => ({
    level: 'warn',
    subject: 'settings',
    message: `${name} is set, but there is no such setting`,
    remedy: `${meant} was probably meant. All of them: docs/reference/configuration.md`,
  }));
}

const OLDEST_POSTGRES = 150_000;
/** Beyond this, one-time codes and tokens visibly expire early or late on one of the two. */
const CLOCK_TOLERANCE_SECONDS = 2;
/** PostgreSQL keeps a few for its superuser, and people want to look in with psql. */
const SPARE_CONNECTIONS = 5;
/** Each server also listens on a connection of its own. */
const FEED_CONNECTIONS = 1;

/** PostgreSQL 15 or newer; older ones lack what the statements use. */
export function checkVersion({ name, version, versionNumber }: DatabaseFacts): Finding {
  const subject = `database ${name}`;
  return versionNumber >= OLDEST_POSTGRES
    ? { level: 'ok', subject, message: `PostgreSQL ${version}` }
    : {
        level: 'fail',
        subject,
        message: `runs PostgreSQL ${version}; 15 or newer is needed`,
        remedy: 'Upgrade it, or unset DATABASE_URL to use the embedded one.',
      };
}

/** Settings without which an acknowledged write may be lost (PostgreSQL manual, "Reliability"). */
export function checkDurability(facts: DatabaseFacts, allowUnsafe: boolean): Finding {
  const subject = `database ${facts.name}`;
  const off = Object.entries(facts.durability).filter(([, value]) => value === 'off');
  if (off.length === 0) return { level: 'ok', subject, message: 'keeps what it acknowledges' };
  const list = off.map(([setting]) => `${setting}=off`).join(', ');
  return {
    level: allowUnsafe ? 'warn' : 'fail',
    subject,
    message: `has ${list}: acknowledged sign-ups could be lost`,
    remedy: allowUnsafe
      ? 'Switch it on, or live with what FIRSTPROOF_ALLOW_UNSAFE_DURABILITY=true allows.'
      : 'Switch it on, or set FIRSTPROOF_ALLOW_UNSAFE_DURABILITY=true where losing them is acceptable.',
  };
}

export function checkClock({ name, clockAheadSeconds }: DatabaseFacts): Finding {
  const subject = `database ${name}`;
  const seconds = Math.abs(clockAheadSeconds);
  if (seconds <= CLOCK_TOLERANCE_SECONDS)
    return { level: 'ok', subject, message: 'clock agrees with this machine' };
  return {
    level: 'warn',
    subject,
    message: `its clock is ${seconds.toFixed(1)} s ${clockAheadSeconds > 0 ? 'ahead of' : 'behind'} this machine's`,
    remedy: 'Keep both on time with NTP: codes and tokens would expire early or late.',
  };
}

/** Whether the pools of one server process fit into each PostgreSQL, whose databases share its connections. */
export function checkConnections(all: readonly DatabaseFacts[], poolSize: number): Finding[] {
  const servers = Map.groupBy(all, (facts) => facts.server);
  return [...servers.values()].map((databases) => {
    const most = databases[0]?.maxConnections ?? 0;
    const wanted = databases.length * (poolSize + FEED_CONNECTIONS);
    const subject = `connections of ${databases.map((facts) => facts.name).join(', ')}`;
    const processes = Math.floor((most - SPARE_CONNECTIONS) / wanted);
    if (processes >= 1) {
      const word = processes === 1 ? 'process' : 'processes';
      return {
        level: 'ok',
        subject,
        message: `${wanted} of ${most} per server process; room for ${processes} ${word}`,
      };
    }
    return {
      level: 'warn',
      subject,
      message: `a server process may open ${wanted}, PostgreSQL allows ${most}`,
      remedy: `Raise max_connections, or lower FIRSTPROOF_DATABASE_CONNECTIONS (${poolSize}).`,
    };
  });
}

/** SMS and voice travel the telephone network, where numbers are taken over (NIST SP 800-63B-4 3.1.3.3, ASVS 6.6.1). */
const TELEPHONE_CHANNELS = new Set(['sms', 'voice']);

/** What a tenant offers its people, against what this deployment can deliver. */
export function checkTenant(
  tenant: Pick<Tenant, 'slug' | 'database'> & { policy: Pick<Tenant['policy'], 'channels'> },
  databases: ReadonlySet<string>,
  offers: (channel: string) => boolean,
): Finding[] {
  const subject = `tenant ${tenant.slug}`;
  const findings: Finding[] = [];
  const { channels } = tenant.policy;
  if (tenant.database !== null && !databases.has(tenant.database)) {
    findings.push({
      level: 'fail',
      subject,
      message: `keeps its rows in the database "${tenant.database}", which is not configured`,
      remedy: `Add ${tenant.database}=postgres://… to FIRSTPROOF_DATABASES.`,
    });
  }
  const silent = channels.filter((channel) => !offers(channel));
  if (silent.length > 0) {
    const none = silent.length === channels.length;
    findings.push({
      level: 'warn',
      subject,
      message: none
        ? `nobody can sign in: no provider is configured for ${silent.join(', ')}`
        : `no provider is configured for ${silent.join(', ')}`,
      remedy: none
        ? 'Configure one.'
        : `Configure one, or close the channel: firstproof tenant set ${tenant.slug} channels=${channels.filter(offers).join(',')}`,
    });
  }
  if (channels.every((channel) => TELEPHONE_CHANNELS.has(channel))) {
    findings.push({
      level: 'warn',
      subject,
      message: 'SMS is the only way to sign in: a number that is taken over takes the account along',
      remedy: `Open another one: firstproof tenant set ${tenant.slug} channels=${[...channels, 'email'].join(',')}`,
    });
  }
  return findings.length > 0
    ? findings
    : [{ level: 'ok', subject, message: `signs in by ${channels.join(', ')}` }];
}

/** A provider that is misspelt in a tenant's settings carries nothing, and a price for it counts nowhere. */
export function checkNamedProviders(
  tenant: Pick<Tenant, 'slug'> & { settings: Pick<Tenant['settings'], 'delivery'> },
  names: readonly string[],
): Finding[] {
  const { providers = {}, prices = {} } = tenant.settings.delivery ?? {};
  const named = [
    ...Object.values(providers)
      .flat()
      .map((name) => ['delivery.providers', name] as const),
    ...Object.keys(prices).map((name) => ['delivery.prices', name] as const),
  ];
  return named
    .filter(([, name]) => !names.includes(name))
    .map(([setting, name]) => ({
      level: 'warn',
      subject: `tenant ${tenant.slug}`,
      message: `${setting} names "${name}", which is not configured here`,
      remedy: `There are: ${names.join(', ') || 'none'}. To change it: firstproof tenant set ${tenant.slug} '${setting}=…'`,
    }));
}

/** What the configuration alone tells, once it can be used. */
export function checkConfiguration(config: Config): Finding[] {
  if (config.mode === 'development') {
    return [
      {
        level: 'ok',
        subject: 'mode',
        message: 'development: every code is shown in the inbox; not for the public',
      },
      { level: 'ok', subject: 'secret', message: `kept in ${config.dataDirectory}` },
    ];
  }
  const https = config.publicUrl?.startsWith('https://') === true;
  const url: Finding = https
    ? { level: 'ok', subject: 'public URL', message: `${config.publicUrl}` }
    : {
        level: 'warn',
        subject: 'public URL',
        message: `${config.publicUrl} is for this machine only`,
        remedy: 'Set FIRSTPROOF_PUBLIC_URL to the https address people use.',
      };
  const proxies: Finding[] =
    https && config.trustedProxies.length === 0
      ? [
          {
            level: 'warn',
            subject: 'proxies',
            message: 'none is trusted: behind one, all callers look alike and share one budget',
            remedy: 'Set FIRSTPROOF_TRUSTED_PROXIES to the proxy that ends TLS, such as 127.0.0.1/32.',
          },
        ]
      : [];
  const count = config.secrets?.length ?? 0;
  const secret: Finding = {
    level: 'ok',
    subject: 'secret',
    message: count === 1 ? 'one' : `${count}: the first makes, the others still open`,
  };
  return [{ level: 'ok', subject: 'mode', message: 'production' }, url, ...proxies, secret];
}

/** In production SMS and calls go to no country until the tenant has named some. */
export function checkTolls(
  tenant: Tenant,
  mode: Config['mode'],
  offers: (channel: string) => boolean,
): Finding[] {
  const costs = tenant.policy.channels.filter(
    (channel) => ['sms', 'voice'].includes(channel) && offers(channel),
  );
  if (mode !== 'production' || costs.length === 0 || tenant.policy.tolls.countries !== undefined) return [];
  return [
    {
      level: 'warn',
      subject: `tenant ${tenant.slug}`,
      message: `sends nothing by ${costs.join(' or ')}: no country is open`,
      remedy: `Open those you serve: firstproof tenant set ${tenant.slug} tolls.countries=US,UZ`,
    },
  ];
}
