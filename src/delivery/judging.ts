import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import type { Lanes } from './lanes.ts';
import type { DeliveryMeter } from './meter.ts';
import { SUPPRESS_SECONDS } from './policy.ts';
import type { Provider, SendResult } from './provider.ts';
import { postponeTurns } from './store.ts';
import type { Suppressions } from './suppressions.ts';
import type { Task } from './task.ts';

export interface JudgingOptions {
  /** The database in which the servers agree on the pace of a provider. */
  control: Database;
  lanes: Pick<Lanes<Task>, 'pause' | 'succeeded' | 'failed'>;
  suppressions: Suppressions;
  meter: DeliveryMeter;
  log: Log;
}

/** Draws from a result what it says about its provider: alarm, pause, failure, and who is out of reach. Returns at once. */
export type Judge = (task: Task, provider: Provider, result: SendResult) => void;

export function createJudge({ control, lanes, suppressions, meter, log }: JudgingOptions): Judge {
  return (task, { name, limits }, result) => {
    const isAlarm = result.state === 'refused' && result.remedy === 'alarm';
    if (isAlarm) {
      meter.alarm(name);
      log.error(
        { event: 'provider_alarm', provider: name, channel: task.channel, error: result.error },
        'a provider refuses what it should take: look at its credentials, its settings and its balance',
      );
    }
    if (result.state === 'retry' && result.retryAfterSeconds !== undefined) {
      const seconds = Math.min(3600, result.retryAfterSeconds);
      lanes.pause(name, seconds * 1000);
      if (limits?.perSecond !== undefined) {
        postponeTurns(control, name, seconds).catch(() => {});
      }
    } else if (isAlarm || (result.state === 'retry' && result.notBeforeSeconds === undefined)) {
      lanes.failed(name);
    } else {
      lanes.succeeded(name);
    }
    if (result.state === 'refused' && result.remedy === 'suppress') {
      const { tenantId, channel, content } = task;
      const suppression = { tenantId, channel, recipient: content.to, verificationId: null, provider: name };
      suppressions
        .add(task.database, { ...suppression, error: result.error, seconds: SUPPRESS_SECONDS })
        .catch((error: unknown) =>
          log.warn({ event: 'not_suppressed', error }, 'a recipient out of reach was not remembered'),
        );
    }
  };
}
