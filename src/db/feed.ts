import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import type { Log } from '../kernel/log.ts';
import type { Database } from './database.ts';

/** The one LISTEN channel of a database. A payload is `topic:text`. */
export const FEED_CHANNEL = 'firstproof';

/**
 * What servers tell each other through LISTEN/NOTIFY. While it is not live, what was told may have been missed:
 * whoever relies on it asks the database instead.
 */
export interface Feed {
  /** True from the end of the catch-up until the connection or its heart-beat is lost. */
  readonly live: boolean;
  on(topic: string, handler: (text: string) => void): void;
  /** Runs after each (re)connection, before the feed counts as live: reads what may have been missed. */
  onRestored(handler: () => Promise<void>): void;
  /** Connects, catches up; resolves when first live, or after a first failed try (it then goes on trying). */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface FeedOptions {
  database: Database;
  log: Log;
  /** How often the feed proves to itself that it still hears. A silence of three beats is a loss. */
  beatMilliseconds?: number;
}

/** A feed with a connection of its own, which it replaces when it goes deaf. */
export function createFeed(options: FeedOptions): Feed {
  const { database, log } = options;
  const beatEvery = options.beatMilliseconds ?? 1000;
  const node = randomUUID();
  const topics = new Map<string, ((text: string) => void)[]>();
  const restorers: (() => Promise<void>)[] = [];
  let live = false;
  let stopped = false;
  let connection: postgres.Sql | undefined;
  let lastHeard = 0;
  let timer: NodeJS.Timeout | undefined;

  function receive(payload: string): void {
    lastHeard = performance.now();
    const colon = payload.indexOf(':');
    const topic = payload.slice(0, colon);
    for (const handler of topics.get(topic) ?? []) handler(payload.slice(colon + 1));
  }

  function lose(why: unknown): void {
    if (live && !stopped) {
      log.warn(
        { event: 'feed_lost', database: database.name, error: why },
        'feed lost; asking the database instead',
      );
    }
    live = false;
    const old = connection;
    connection = undefined;
    old?.end({ timeout: 0 }).catch(() => {});
    if (!stopped) {
      clearTimeout(timer);
      timer = setTimeout(() => void connect(), beatEvery / 2).unref();
    }
  }

  async function connect(): Promise<void> {
    if (stopped) return;
    const { options: parsed } = database.sql;
    const sql = postgres({
      host: parsed.host[0] as string,
      port: parsed.port[0] as number,
      path: parsed.path as string,
      database: parsed.database,
      username: parsed.user,
      pass: parsed.pass,
      ssl: parsed.ssl,
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: 3,
      fetch_types: false,
      prepare: false,
      onnotice: () => {},
      connection: { application_name: 'firstproof feed' },
    } as unknown as postgres.Options<Record<string, never>>);
    connection = sql;
    try {
      await sql.listen(FEED_CHANNEL, receive);
      for (const restore of restorers) await restore();
      if (connection !== sql || stopped) return;
      lastHeard = performance.now();
      live = true;
      timer = setTimeout(() => void beat(sql), beatEvery).unref();
    } catch (fault) {
      if (connection === sql) lose(fault);
    }
  }

  async function beat(sql: postgres.Sql): Promise<void> {
    if (connection !== sql || stopped) return;
    if (performance.now() - lastHeard > beatEvery * 3) {
      lose(new Error('no heart-beat heard'));
      return;
    }
    timer = setTimeout(() => void beat(sql), beatEvery).unref();
    try {
      await sql`select pg_notify(${FEED_CHANNEL}, ${`beat:${node}`})`;
    } catch (fault) {
      if (connection === sql) lose(fault);
    }
  }

  return {
    get live() {
      return live;
    },
    on(topic, handler) {
      topics.set(topic, [...(topics.get(topic) ?? []), handler]);
    },
    onRestored: (handler) => restorers.push(handler),
    start: connect,
    async stop() {
      stopped = true;
      live = false;
      clearTimeout(timer);
      await connection?.end({ timeout: 1 }).catch(() => {});
    },
  };
}
