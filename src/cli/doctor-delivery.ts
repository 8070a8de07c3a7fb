import type { Databases } from '../db/databases.ts';
import type { Delivery, DeliveryCounts, ProviderFailure, QueueState } from '../delivery/delivery.ts';
import type { Finding } from './doctor-checks.ts';

/** Fewer refusals may be those of a few wrong addresses. */
const LEAST_REFUSED = 5;
/** What was mended or broken a while ago shows in the shorter span, what is seldom used in the longer. */
const LOOKED_BACK_SECONDS = [600, 3600];

/**
 * What is on its way, and what keeps it: providers that fail or refuse whatever they are given, messages that no server
 * attends to.
 */
export async function examineDelivery(
  delivery: Pick<Delivery, 'queued' | 'failing' | 'counts'>,
  databases: Pick<Databases, 'all'>,
): Promise<Finding[]> {
  const failing = await delivery.failing();
  const queues = await Promise.all(
    databases.all().map(async (database) => checkQueue(database.name, await delivery.queued(database))),
  );
  const refusals = await Promise.all(
    LOOKED_BACK_SECONDS.map(async (sinceSeconds) => {
      const query = { tenantId: null, sinceSeconds, byPrefix: false };
      const counts = await Promise.all(databases.all().map((database) => delivery.counts(database, query)));
      return checkRefusals(counts.flat(), sinceSeconds);
    }),
  );
  // What shows in both spans is told once, by the longer one: a remedy names provider and channel.
  const told = new Map(refusals.flat().map((finding) => [finding.remedy, finding]));
  return [...failing.map(checkFailure), ...told.values(), ...queues];
}

/** A refusal is the recipient's affair; when nothing at all is taken it is ours: a sender, a country, an account. */
export function checkRefusals(
  counts: readonly Pick<DeliveryCounts, 'provider' | 'channel' | 'sent' | 'refused'>[],
  sinceSeconds: number,
): Finding[] {
  const ways = Map.groupBy(counts, ({ provider, channel }) => `${provider} ${channel}`);
  return [...ways.values()].flatMap((group): Finding[] => {
    const [{ provider, channel } = { provider: '', channel: '' }] = group;
    const refused = group.reduce((sum, one) => sum + one.refused, 0);
    if (refused < LEAST_REFUSED || group.some(({ sent }) => sent > 0)) return [];
    return [
      {
        level: 'warn',
        subject: `provider ${provider}`,
        message: `refused all ${refused} messages by ${channel} that it was given in the last ${span(sinceSeconds)}`,
        remedy: `See why, with an address of yours: firstproof provider test ${channel} ADDRESS --provider ${provider}`,
      },
    ];
  });
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
