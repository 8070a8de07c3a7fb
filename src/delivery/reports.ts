import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import type { Outbox, ReportedSend } from '../outbox/outbox.ts';
import type { DeliveryMeter } from './meter.ts';
import { SUPPRESS_SECONDS } from './policy.ts';
import type { DeliveryReport, ReportOutcome } from './provider.ts';
import type { Suppressions } from './suppressions.ts';

export interface ReportsOptions {
  databases: readonly Database[];
  outbox: Outbox;
  suppressions: Suppressions;
  meter: DeliveryMeter;
  log: Log;
  /** A message's state has changed. */
  onChanged: (database: Database, reported: ReportedSend) => void;
}

/** What providers tell of messages they took: written, and its remedies seen to. */
export interface Reports {
  take(reports: readonly DeliveryReport[]): Promise<ReportOutcome>;
  stop(): void;
}

/** A report may overtake the statement that writes the message's id: it is looked for once more after so long. */
const LOOK_AGAIN_MILLISECONDS = 2000;
/** Strangers' ids must not fill the memory: more than so many are not looked for again. */
const MOST_LOOKED_FOR_AGAIN = 1000;

export function createReports(options: ReportsOptions): Reports {
  const { databases, outbox, suppressions, meter, log } = options;
  const lookingAgain = new Set<NodeJS.Timeout>();

  async function takeOne(report: DeliveryReport): Promise<keyof ReportOutcome> {
    for (const database of databases) {
      const reported = await outbox.report(database, {
        provider: report.provider,
        providerMessageId: report.providerMessageId,
        tenantId: report.tenantId ?? null,
        state: report.state,
        error: report.error ?? null,
      });
      if (!reported) continue;
      // An alarm is one whatever the message has become meanwhile.
      if (report.remedy === 'alarm') alarm(report, reported);
      if (!reported.changed) return 'repeated';
      if (report.state === 'failed' && report.remedy === 'suppress')
        await suppress(database, report, reported);
      options.onChanged(database, reported);
      return 'applied';
    }
    return 'unknown';
  }

  function alarm(report: DeliveryReport, { channel }: ReportedSend): void {
    meter.alarm(report.provider);
    log.error(
      { event: 'provider_alarm', provider: report.provider, channel, error: report.error },
      'a provider reports what somebody has to look at: credentials, settings or balance',
    );
  }

  async function suppress(
    database: Database,
    { provider, error }: DeliveryReport,
    { tenant_id: tenantId, channel, verification_id: verificationId }: ReportedSend,
  ): Promise<void> {
    const seconds = SUPPRESS_SECONDS;
    await suppressions.add(database, {
      ...{ tenantId, channel, recipient: null, verificationId, provider, error: error ?? null, seconds },
    });
  }

  function lookAgain(report: DeliveryReport): void {
    const timer = setTimeout(() => {
      lookingAgain.delete(timer);
      takeOne(report).then(
        (outcome) => meter.reported(report.provider, outcome),
        (error: unknown) =>
          log.warn({ event: 'report_lost', error }, 'a delivery report could not be written'),
      );
    }, LOOK_AGAIN_MILLISECONDS).unref();
    lookingAgain.add(timer);
  }

  return {
    async take(reports) {
      const outcome: ReportOutcome = { applied: 0, repeated: 0, unknown: 0 };
      for (const report of reports) {
        const found = await takeOne(report);
        outcome[found] += 1;
        if (found === 'unknown' && lookingAgain.size < MOST_LOOKED_FOR_AGAIN) lookAgain(report);
        else meter.reported(report.provider, found);
      }
      return outcome;
    },
    stop() {
      for (const timer of lookingAgain) clearTimeout(timer);
    },
  };
}
