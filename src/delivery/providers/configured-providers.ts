import type { ProviderConfig } from '../../config/provider-settings.ts';
import type { Provider } from '../provider.ts';
import { createHttpCaller } from './http-caller.ts';
import { createHttpGateway } from './http-gateway.ts';
import { createTelegramGateway } from './telegram-gateway.ts';
import { createTwilioApi } from './twilio-api.ts';
import { createTwilioMessaging } from './twilio-messaging.ts';
import { createTwilioVerify, type TwilioVerify } from './twilio-verify.ts';

/** Paths below the public URL that providers report to. */
export const callbackPaths = {
  twilio: '/callbacks/twilio/messaging',
  telegramGateway: '/callbacks/telegram-gateway',
  gateway: (name: string): string => `/callbacks/gateways/${name}`,
} as const;

export interface ConfiguredProvidersOptions {
  config: ProviderConfig;
  fetch: typeof fetch;
  publicUrl: string;
  /** The slug by which a configuration names a tenant. */
  slugOf: (tenantId: string) => string | undefined;
  timeoutMilliseconds?: number;
}

export interface ConfiguredProviders {
  /** In the order in which they are asked. */
  all: readonly Provider[];
  /** Present where Twilio makes and checks the codes. */
  codeChecker: TwilioVerify | undefined;
}

/** Every provider of the configuration. A gateway of one's own goes first: whoever describes one means it. */
export function createConfiguredProviders(options: ConfiguredProvidersOptions): ConfiguredProviders {
  const { config, publicUrl } = options;
  const http = createHttpCaller({
    fetch: options.fetch,
    ...(options.timeoutMilliseconds === undefined
      ? {}
      : { timeoutMilliseconds: options.timeoutMilliseconds }),
  });
  const reachable = isReachable(publicUrl);
  const callbackAt = (path: string): string | undefined => (reachable ? publicUrl + path : undefined);
  const servesOnly =
    (slugs: readonly string[] | undefined) =>
    (tenantId: string | undefined): boolean =>
      slugs === undefined || tenantId === undefined || slugs.includes(options.slugOf(tenantId) ?? '');

  const all: Provider[] = config.gateways.map((gateway) => {
    const { query, value } = gateway.callback?.secret ?? {};
    const secret = query === undefined ? '' : `?${new URLSearchParams({ [query]: value ?? '' }).toString()}`;
    const path = callbackPaths.gateway(gateway.name) + secret;
    const { baseUrl } = gateway.callback ?? {};
    const callbackUrl = gateway.callback ? (baseUrl === undefined ? callbackAt(path) : baseUrl + path) : '';
    return createHttpGateway({
      gateway,
      http,
      callbackUrl: callbackUrl ?? '',
      serves: servesOnly(gateway.tenants),
    });
  });
  let codeChecker: TwilioVerify | undefined;
  const { twilio, telegramGateway } = config;
  if (twilio) {
    const api = createTwilioApi(twilio.account, http);
    const serves = servesOnly(twilio.tenants);
    if (twilio.verify) {
      const verify = createTwilioVerify({ api, ...twilio.verify, serves });
      if (verify.checkCode) codeChecker = verify;
      all.push(verify);
    }
    if (twilio.messaging) {
      const statusCallback = callbackAt(callbackPaths.twilio);
      all.push(createTwilioMessaging({ api, ...twilio.messaging, statusCallback, serves }));
    }
  }
  if (telegramGateway) {
    const { token, sender } = telegramGateway;
    const serves = servesOnly(telegramGateway.tenants);
    const callbackUrl = callbackAt(callbackPaths.telegramGateway);
    all.push(createTelegramGateway({ http, token, sender, callbackUrl, serves }));
  }
  return { all, codeChecker };
}

/** Can a provider out there call this address? Twilio refuses a message with a callback that it cannot. */
function isReachable(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' && hostname.includes('.') && !/^(127\.|10\.|192\.168\.)/.test(hostname);
}
