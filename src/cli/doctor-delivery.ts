import type { Databases } from '../db/databases.ts';
import type { Delivery, ProviderFailure, QueueState } from '../delivery/delivery.ts';
import type { Finding } from './doctor-checks.ts';

/** What is on its way, and what keeps it: providers that fail, messages that no server attends to. */
export async function examineDelivery(
  delivery: Pick<Delivery, 'queued' | 'failing'>,
  databases: Pick<Databases, 'all'>,
): Promise<Finding[]> {
  const failing = await delivery.failing();
  const queues = await Promise.all(
    databases.all().map(async (database) => checkQueue(database.name, await delivery.queued(database))),
  );
  return [...failing.map(checkFailure), ...queues];
}

export function checkFailure({
  provider,
  since_seconds: since,
  last_seconds: last,
}: ProviderFailure): Finding {
  return {
    level: 'warn',
    subject: `provider ${provider}`,
    message: `fails since ${span(since)}, last met ${span(last)} ago: other ways are used while it rests`,
    remedy: 'Look at the log for provider_failed and provider_alarm, and at the status page of the provider.',
  };
}

export function checkQueue(database: string, queue: readonly QueueState[]): Finding {
  const subject = `delivery of ${database}`;
  const waiting = queue.reduce((sum, state) => sum + state.waiting, 0);
  const unattended = queue.filter((state) => state.unattended > 0);
  if (unattended.length > 0) {
    const list = unattended.map((state) => `${state.unattended} by ${state.channel}`).join(', ');
    const oldest = Math.max(...unattended.map((state) => state.oldest_seconds));
    return {
      level: 'warn',
      subject,
      message: `stands: ${list} wait, the oldest for ${span(oldest)}, and no server attends to them`,
      remedy:
        'Start a server, or look above and in its log for a provider that fails and has no other beside it.',
    };
  }
  const message = waiting === 0 ? 'nothing waits' : `${waiting} on their way`;
  return { level: 'ok', subject, message };
}

/** A span of time as a person says it. */
function span(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
