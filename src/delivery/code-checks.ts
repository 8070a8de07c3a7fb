import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import { readCarried } from '../outbox/outbox.ts';
import type { Provider } from './provider.ts';
import type { CodeCheck, TwilioVerify } from './providers/twilio-verify.ts';

export type { CodeCheck };

/** What providers that follow a code to its end are asked and told. */
export interface CodeChecks {
  /** Do providers make codes of their own here? Then one that is not ours may be theirs. */
  readonly asksProviders: boolean;
  /** Which of these verifications have a code that the provider made: the provider's id by theirs. */
  madeElsewhere(
    database: Database,
    tenantId: string,
    verificationIds: readonly string[],
  ): Promise<Map<string, string>>;
  /** Asks whether a code is the one that the provider made. Outside of any transaction, and after the attempt was counted. */
  check(providerMessageId: string, code: string): Promise<CodeCheck>;
  /** The code was proved: tells who carried it, in its own time. Returns at once; nothing depends on it. */
  proved(database: Database, tenantId: string, verificationId: string): void;
}

/** Longer than a person waits for an answer. */
const PATIENCE_MILLISECONDS = 6000;

export function createCodeChecks(options: {
  providers: readonly Provider[];
  checker: TwilioVerify | undefined;
  log: Log;
}): CodeChecks {
  const { checker, log } = options;
  const told = options.providers.filter((provider) => provider.approve !== undefined);

  async function tell(database: Database, tenantId: string, verificationId: string): Promise<void> {
    const carried = await readCarried(database, tenantId, [verificationId]);
    for (const provider of told) {
      // What its own check has approved, it knows.
      if (provider.name === checker?.name) continue;
      const last = carried.find((one) => one.provider === provider.name);
      if (last)
        await provider.approve?.(last.provider_message_id, AbortSignal.timeout(PATIENCE_MILLISECONDS));
    }
  }

  return {
    asksProviders: checker !== undefined,
    async madeElsewhere(database, tenantId, verificationIds) {
      const carried = await readCarried(database, tenantId, verificationIds);
      const made = new Map<string, string>();
      for (const { provider, verification_id: id, provider_message_id: theirs } of carried) {
        if (provider === checker?.name && !made.has(id)) made.set(id, theirs);
      }
      return made;
    },
    check: async (providerMessageId, code) =>
      (await checker?.checkCode?.(providerMessageId, code, AbortSignal.timeout(PATIENCE_MILLISECONDS))) ??
      'unknown',
    proved(database, tenantId, verificationId) {
      if (told.length === 0) return;
      setImmediate(() => {
        tell(database, tenantId, verificationId).catch((error: unknown) => {
          log.debug({ event: 'feedback_lost', error }, 'a provider could not be told that a code was proved');
        });
      });
    },
  };
}
