import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { PROVIDER_TIMEOUT_MILLISECONDS } from './policy.ts';
import type { Provider } from './provider.ts';

export interface TakingBackOptions {
  outbox: Outbox;
  providers: readonly Provider[];
  log: Log;
}

/** Takes back messages whose code was spent by another way, where providers can. */
export interface TakingBack {
  /** Returns at once. What a crash leaves undone only leaves a spent code to be read. */
  takeBack(database: Database, tenantId: string, verificationId: string): void;
}

export function createTakingBack({ outbox, providers, log }: TakingBackOptions): TakingBack {
  const revocable = providers.filter((provider) => provider.revoke !== undefined);

  async function takeAllBack(database: Database, tenantId: string, verificationId: string): Promise<void> {
    const handedOver = await outbox.handedOver(database, tenantId, verificationId);
    // The newest is the one that was most likely read.
    for (const { provider: name, provider_message_id: id } of handedOver.slice(1)) {
      const provider = revocable.find((candidate) => candidate.name === name);
      if (id === null) continue;
      await provider?.revoke?.(id, AbortSignal.timeout(PROVIDER_TIMEOUT_MILLISECONDS));
    }
  }

  return {
    takeBack(database, tenantId, verificationId) {
      if (revocable.length === 0) {
        return;
      }
      takeAllBack(database, tenantId, verificationId).catch((error: unknown) =>
        log.warn({ event: 'not_taken_back', error }, 'a message whose code is spent was not taken back'),
      );
    },
  };
}
