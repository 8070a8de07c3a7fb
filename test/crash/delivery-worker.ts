/**
 * A server's delivery and nothing else, in a process that kills itself at a given step. Run by delivery-kill.test.ts.
 * Arguments as JSON: the database's URL, where the provider listens, how far the clock is ahead, where to die.
 */
import { createDatabase } from '../../src/db/database.ts';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '../../src/kernel/log.ts';
import { createSecrets } from '../../src/kernel/secrets.ts';
import { createOutbox, type Outbox } from '../../src/outbox/outbox.ts';
import { createDelivery, type Provider } from '../../src/delivery/delivery.ts';
import { randomUUID } from 'node:crypto';
import { tenantForDelivery } from './delivery-tenant.ts';

export interface WorkerArguments {
  url: string;
  provider: string;
  secret: string;
  aheadSeconds: number;
  /** Where it dies, the how-many-eth time; null: it works until nothing is due. */
  step: Step | null;
  time: number;
}

/** The steps of a message's way, in their order. */
export const STEPS = ['claimed', 'sending', 'answered', 'settling', 'settled'] as const;
export type Step = (typeof STEPS)[number];

if (process.argv[2] !== undefined) await main(JSON.parse(process.argv[2]) as WorkerArguments);

async function main(given: WorkerArguments): Promise<void> {
  let left = given.time;
  const at = (step: Step): void => {
    if (step === given.step && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
  const clock = { injected: true, now: () => new Date(Date.now() + given.aheadSeconds * 1000) };
  const database = createDatabase({
    ...{ name: 'control', address: { url: given.url }, clock, maxConnections: 4, prepare: true },
  });
  const real = createOutbox(randomUUID());
  const outbox: Outbox = {
    ...real,
    async claim(...claim) {
      const claimed = await real.claim(...claim);
      if (claimed.length > 0) at('claimed');
      return claimed;
    },
    async settle(...settlement) {
      const settling = real.settle(...settlement);
      // The statement may or may not have reached the database.
      setImmediate(() => at('settling'));
      const settled = await settling;
      at('settled');
      return settled;
    },
  };
  const providerOf = (channel: string): Provider => ({
    name: channel,
    limits: { concurrency: 1 },
    carries: (one) => one === channel,
    async send({ id, code, to }, signal) {
      at('sending');
      const body = JSON.stringify({ id, code, to, channel });
      const response = await fetch(given.provider, { method: 'POST', body, signal });
      at('answered');
      if (response.status === 422) return { state: 'refused', error: 'unreachable' };
      return { state: 'sent', providerMessageId: `${channel} ${id}` };
    },
  });
  const delivery = createDelivery({
    ...{ control: database, databases: [database], outbox, log: silentLog, concurrency: 1 },
    providers: [providerOf('sms'), providerOf('voice')],
    secrets: createSecrets([given.secret]),
    random: Math.random,
    newId: randomUUID,
    tenantOf: () => tenantForDelivery,
  });
  const { sql } = database;
  for (;;) {
    await delivery.dispatchDue(database);
    await wait(5);
    const [row] = await sql<{ due: number }[]>`
      select count(*)::int as due from messages where state in ('queued', 'sending') and due_at <= ${database.now()}`;
    if (row?.due === 0) break;
  }
  await delivery.stop([database]);
  await database.close();
}
