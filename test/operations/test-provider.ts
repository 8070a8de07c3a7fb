import type { Envelope, Provider, SendResult } from '../../src/delivery/delivery.ts';

/** A provider, of SMS unless told otherwise, that does what the test says, and remembers what it was given. */
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

export const refuses = (error: string, remedy?: 'suppress' | 'alarm') => (): Promise<SendResult> =>
  Promise.resolve({ state: 'refused', error, ...(remedy ? { remedy } : {}) });

export function createTestProvider(
  behave: TestProvider['behave'],
  options: { name?: string; channels?: readonly string[] } & Pick<Provider, 'limits' | 'reachesByPhone'> = {},
): TestProvider {
  const { name = 'test', channels = ['sms'], ...rest } = options;
  const provider: TestProvider = {
    name,
    ...rest,
    given: [],
    behave,
    carries: (channel) => channels.includes(channel),
    send(envelope, signal) {
      provider.given.push(envelope);
      return provider.behave(envelope, signal);
    },
  };
  return provider;
}
