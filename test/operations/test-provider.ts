import type { Envelope, Provider, SendResult } from '../../src/delivery/delivery.ts';

/** A provider of SMS that does what the test says, and remembers what it was given. */
export interface TestProvider extends Provider {
  given: Envelope[];
  behave: (envelope: Envelope, signal: AbortSignal) => Promise<SendResult>;
}

export const sends = async (envelope: Envelope): Promise<SendResult> => ({
  state: 'sent',
  providerMessageId: envelope.id,
});
export const throws = (): Promise<SendResult> => Promise.reject(new Error('the provider is away'));
/** Never answers, and does not listen to the signal either. */
export const hangs = (): Promise<SendResult> => new Promise(() => {});

export function createTestProvider(behave: TestProvider['behave']): TestProvider {
  const provider: TestProvider = {
    name: 'test',
    given: [],
    behave,
    carries: (channel) => channel === 'sms',
    send(envelope, signal) {
      provider.given.push(envelope);
      return provider.behave(envelope, signal);
    },
  };
  return provider;
}
