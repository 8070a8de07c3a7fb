import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type postgres from 'postgres';
import { connectPostgres } from '../../src/db/driver.ts';
import { placeBinaries } from '../../src/db/embedded/binaries.ts';
import { createCluster, makeSocketDirectory, SUPERUSER } from '../../src/db/embedded/cluster.ts';
import { findPostmaster, type PostmasterPlan, startPostmaster } from '../../src/db/embedded/postmaster.ts';
import { chooseSystemUser } from '../../src/db/embedded/system-user.ts';
import { freePort } from '../free-port.ts';
import { createTcpProxy, type TcpProxy } from '../tcp-proxy.ts';
import { killPostgres } from './processes.ts';

const PASSWORD = 'standby';
/** A standby that lags is waited for; both run on this machine. */
const PATIENCE_MILLISECONDS = 15_000;

/** A PostgreSQL whose every commit waits for a second one, and the one address under which whoever leads is reached. */
export interface StandbyPair {
  address: { host: string; port: number; username: string; password: string };
  /** Connects to the leader, past the proxy. */
  connect(database: string): postgres.Sql;
  /** The leader and all its children die; nobody is reached. */
  killLeader(): Promise<void>;
  /** The address leads to the standby, which still only reads. */
  leadToStandby(): Promise<void>;
  /** The standby becomes the leader. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both, the second from a backup of the first, as an administrator would set them up. */
export async function startStandbyPair(): Promise<StandbyPair> {
  const folder = mkdtempSync(join(tmpdir(), 'firstproof-standby-'));
  chmodSync(folder, 0o755);
  const user = chooseSystemUser(join(folder, 'leader', 'postgres'));
  const binaries = placeBinaries(user, () => join(folder, 'binaries'));

  async function planOf(name: string): Promise<PostmasterPlan> {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true });
    chmodSync(home, 0o755);
    return {
      binaries,
      cluster: join(home, 'postgres'),
      port: await freePort(),
      socketDirectory: makeSocketDirectory(home, user),
      settings: { cluster_name: name },
      logFile: join(home, 'postgres.log'),
      user,
    };
  }

  const leaderPlan = await planOf('leader');
  const standbyPlan = await planOf('standby');
  const end = (): void => {
    for (const { cluster } of [leaderPlan, standbyPlan]) {
      const found = findPostmaster(cluster);
      if (found) killPostgres(found.pid);
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return await startBoth({ folder, leaderPlan, standbyPlan, end });
  } catch (fault) {
    end();
    throw fault;
  }
}

interface Plans {
  folder: string;
  leaderPlan: PostmasterPlan;
  standbyPlan: PostmasterPlan;
  /** Whatever runs dies, and the folder goes. */
  end: () => void;
}

async function startBoth({ folder, leaderPlan, standbyPlan, end }: Plans): Promise<StandbyPair> {
  const { binaries, user } = leaderPlan;
  await createCluster(join(folder, 'leader'), binaries, PASSWORD, user);
  const leader = await startPostmaster(leaderPlan, () => {});
  let leading = leaderPlan;
  const connect = (plan: PostmasterPlan, database: string): postgres.Sql =>
    connectPostgres({
      ...{ host: '127.0.0.1', port: plan.port, username: SUPERUSER, password: PASSWORD, database },
      ...{ max: 1, onnotice: () => {} },
    });

  const sql = connect(leaderPlan, 'postgres');
  await sql`select pg_backup_start('standby', true)`;
  const copied = spawnSync('cp', ['-a', leaderPlan.cluster, standbyPlan.cluster], { encoding: 'utf8' });
  const [backup] = await sql<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`;
  if (copied.status !== 0 || !backup) throw new Error(`the backup failed: ${copied.stderr}`);
  rmSync(join(standbyPlan.cluster, 'postmaster.pid'), { force: true });
  const write = (name: string, text: string): void => {
    const file = join(standbyPlan.cluster, name);
    writeFileSync(file, text);
    if (user) chownSync(file, user.uid, user.gid);
  };
  write('backup_label', backup.labelfile);
  write('standby.signal', '');
  const way = `host=127.0.0.1 port=${leaderPlan.port} user=${SUPERUSER} password=${PASSWORD}`;
  write('postgresql.auto.conf', `primary_conninfo = '${way}'\n`);
  // A server counts as started when it takes writes: this one does once it leads.
  const promoted = startPostmaster(standbyPlan, () => {}).catch((fault: unknown) => fault);
  await until('the standby streams', async () => {
    const rows = await sql`select from pg_stat_replication where state = 'streaming'`;
    return rows.length === 1;
  });
  await sql`alter system set synchronous_standby_names = '*'`;
  await sql`select pg_reload_conf()`;
  await until('the standby is synchronous', async () => {
    const rows = await sql`select from pg_stat_replication where sync_state = 'sync'`;
    return rows.length === 1;
  });
  await sql.end();

  const target = { host: '127.0.0.1', port: leaderPlan.port };
  const proxy: TcpProxy = await createTcpProxy(target);
  return {
    address: { host: proxy.host, port: proxy.port, username: SUPERUSER, password: PASSWORD },
    connect: (database) => connect(leading, database),
    async killLeader() {
      killPostgres(leader.pid);
      await proxy.cut();
    },
    async leadToStandby() {
      target.port = standbyPlan.port;
      leading = standbyPlan;
      await proxy.restore();
    },
    async promote() {
      const standby = connect(standbyPlan, 'postgres');
      await standby`select pg_promote(true, 60)`;
      await standby.end();
      const outcome = await promoted;
      if (outcome instanceof Error) throw outcome;
    },
    async stop() {
      await proxy.close();
      end();
      await promoted;
    },
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`in vain waited for: ${what}`);
    await wait(20);
  }
}
