import type { Provider } from '../provider.ts';

/** A provider whose messages also lie in the development inbox, once they have gone out. */
export function withInboxCopy(provider: Provider, inbox: Provider): Provider {
  return {
    ...provider,
    async send(envelope, signal) {
      const result = await provider.send(envelope, signal);
      if (result.state === 'sent') await inbox.send(envelope, signal);
      return result;
    },
  };
}
