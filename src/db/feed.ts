import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { connectPostgres } from './driver.ts';
import type { Log } from '../kernel/log.ts';
import type { Database } from './database.ts';
import { createHearing } from './hearing.ts';

/** The one LISTEN channel of a database. A payload is `topic:text`. */
export const FEED_CHANNEL = 'firstproof';
/** Ids of 36 characters that one payload surely holds: PostgreSQL's limit is 8,000 bytes. */
export const MOST_IDS_A_NOTICE = 150;

/**
 * What servers tell each other through LISTEN/NOTIFY. While it is not live, what was told may have been missed:
 * whoever relies on it asks the database instead.
 */
export interface Feed {
  /** True from the end of the catch-up until the connection is lost or three beats have passed without a proof of it. */
  readonly live: boolean;
  on(topic: string, handler: (text: string) => void): void;
  /** Resolves when every server has heard what was committed before, or asks the database instead. */
  heardByAll(): Promise<void>;
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
  const lease = beatEvery * 3;
  const node = randomUUID();
  const topics = new Map<string, ((text: string) => void)[]>();
  const restorers: (() => Promise<void>)[] = [];
  let live = false;
  let stopped = false;
  let connection: postgres.Sql | undefined;
  /** Everything committed before this moment has been heard. */
  let heardUntil = 0;
  let timer: NodeJS.Timeout | undefined;

  const hearing = createHearing({
    node,
    leaseMilliseconds: lease,
    now: () => performance.now(),
    tell: (payload) => (connection ? tell(connection, payload) : Promise.reject(new Error('no feed'))),
  });

  function tell(sql: postgres.Sql, payload: string): Promise<unknown> {
    return sql`select pg_notify(${FEED_CHANNEL}, ${payload})`;
  }

  function receive(payload: string): void {
    const colon = payload.indexOf(':');
    const topic = payload.slice(0, colon);
    const text = payload.slice(colon + 1);
    // A beat of our own proves what was committed before it was sent, however late it comes back.
    if (topic === 'here' && text.startsWith(node)) heardUntil = Number(text.slice(node.length + 1));
    hearing.receive(topic, text);
    for (const handler of topics.get(topic) ?? []) handler(text);
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
    const sql = connectPostgres({
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
      onnotify: (_channel: string, payload: string) => receive(payload),
      onclose: () => {
        if (connection === sql) lose(new Error('the connection was closed'));
      },
      connection: { application_name: 'firstproof feed' },
    } as unknown as postgres.Options<Record<string, never>>);
    connection = sql;
    try {
      // Not the driver's own listen(): it connects again by itself and keeps silent about what it missed meanwhile.
      await sql.unsafe(`listen ${FEED_CHANNEL}`);
      await tell(sql, `hello:${node}`);
      const caughtUp = performance.now();
      for (const restore of restorers) await restore();
      if (connection !== sql || stopped) return;
      heardUntil = caughtUp;
      live = true;
      void beat(sql);
    } catch (fault) {
      if (connection === sql) lose(fault);
    }
  }

  async function beat(sql: postgres.Sql): Promise<void> {
    if (connection !== sql || stopped) return;
    if (performance.now() - heardUntil > lease) {
      lose(new Error('no heart-beat heard'));
      return;
    }
    timer = setTimeout(() => void beat(sql), beatEvery).unref();
    try {
      await tell(sql, `here:${node} ${performance.now()}`);
    } catch (fault) {
      if (connection === sql) lose(fault);
    }
  }

  return {
    get live() {
      return live && performance.now() - heardUntil <= lease;
    },
    heardByAll: () => hearing.all(),
    on(topic, handler) {
      topics.set(topic, [...(topics.get(topic) ?? []), handler]);
    },
    onRestored: (handler) => restorers.push(handler),
    start: connect,
    async stop() {
      stopped = true;
      live = false;
      clearTimeout(timer);
      const sql = connection;
      connection = undefined;
      if (!sql) return;
      const farewell = tell(sql, `left:${node}`).catch(() => {});
      await Promise.race([farewell, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
      await sql.end({ timeout: 1 }).catch(() => {});
    },
  };
}
