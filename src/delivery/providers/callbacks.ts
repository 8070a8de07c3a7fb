import type { ProviderConfig } from '../../config/provider-settings.ts';
import type { ReadCallback } from './callback.ts';
import { callbackPaths } from './configured-providers.ts';
import { createGatewayCallback } from './gateway-callback.ts';
import { createTelegramGatewayCallback } from './telegram-gateway-callback.ts';
import { createTwilioCallback } from './twilio-callback.ts';

export interface Callback {
  /** Below the public URL. */
  path: string;
  provider: string;
  read: ReadCallback;
}

/** Every address that a configured provider may report to. A provider that is not configured has none. */
export function createCallbacks(
  config: ProviderConfig,
  options: { publicUrl: string; now: () => Date },
): readonly Callback[] {
  const { publicUrl, now } = options;
  const callbacks: Callback[] = [];
  const { twilio, telegramGateway } = config;
  if (twilio?.messaging) {
    const path = callbackPaths.twilio;
    const read = createTwilioCallback(publicUrl + path, twilio.account.authToken);
    callbacks.push({ path, provider: 'twilio-messaging', read });
  }
  if (telegramGateway) {
    const path = callbackPaths.telegramGateway;
    const read = createTelegramGatewayCallback(telegramGateway.token, now);
    callbacks.push({ path, provider: 'telegram-gateway', read });
  }
  for (const gateway of config.gateways) {
    const { callback, name } = gateway;
    if (!callback) continue;
    const read = createGatewayCallback({ ...gateway, callback }, now);
    callbacks.push({ path: callbackPaths.gateway(name), provider: name, read });
  }
  return callbacks;
}
