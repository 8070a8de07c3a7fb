import { readFileSync } from 'node:fs';
import { parseRecipe } from '../../src/config/gateway-recipe.ts';
import type { ProviderConfig } from '../../src/config/provider-settings.ts';
import { createConfiguredProviders, type Provider } from '../../src/delivery/delivery.ts';

export const ACCOUNT = `AC${'a'.repeat(32)}`;
export const AUTH_TOKEN = 'twilio-auth-token-0123';
export const SERVICE = `VA${'b'.repeat(32)}`;
export const MESSAGING_SERVICE = `MG${'c'.repeat(32)}`;
export const GATEWAY_TOKEN = 'AAGatewayToken0123456789';

/** What the recipes under examples/providers ask of the environment. */
export const GATEWAY_SECRETS: Record<string, string> = {
  VONAGE_API_KEY: 'vonage-key',
  VONAGE_API_SECRET: 'vonage-secret-"quoted"',
  INFOBIP_API_KEY: 'infobip-key',
  INFOBIP_HOST: 'xyz123.api.infobip.com',
  ESKIZ_EMAIL: 'sms@example.uz',
  ESKIZ_PASSWORD: 'eskiz-password',
  KAVENEGAR_API_KEY: 'kavenegar-key',
  KANNEL_PASSWORD: 'kannel-password',
  SMSEAGLE_TOKEN: 'smseagle-token',
  CALLBACK_SECRET: 'callback-secret-0123456789',
};

/** One of the shipped recipes, ready for use. */
function recipeOf(name: string) {
  const source = readFileSync(new URL(`../../examples/providers/${name}.json`, import.meta.url), 'utf8');
  const parsed = parseRecipe(source, (_kind, wanted) => {
    const value = GATEWAY_SECRETS[wanted];
    return value === undefined ? { ok: false, message: `no ${wanted}` } : { ok: true, value };
  });
  if (!parsed.ok) throw new Error(parsed.messages.join('\n'));
  return parsed.gateway;
}

const NONE: ProviderConfig = { twilio: undefined, telegramGateway: undefined, gateways: [] };
const account = { accountSid: ACCOUNT, authToken: AUTH_TOKEN, apiKey: undefined };

export const configs = {
  'twilio-messaging': {
    ...NONE,
    twilio: {
      account,
      messaging: { sender: { service: MESSAGING_SERVICE } },
      verify: undefined,
      tenants: undefined,
    },
  },
  'twilio-verify': {
    ...NONE,
    twilio: { account, messaging: undefined, verify: { service: SERVICE, codes: 'own' }, tenants: undefined },
  },
  'telegram-gateway': {
    ...NONE,
    telegramGateway: { token: GATEWAY_TOKEN, sender: undefined, tenants: undefined },
  },
} as const satisfies Record<string, ProviderConfig>;

/** The one provider of a configuration, reaching a fake. */
export function providerOf(
  config: ProviderConfig,
  reach: typeof fetch,
  more: { publicUrl?: string; timeoutMilliseconds?: number } = {},
): Provider {
  const { all } = createConfiguredProviders({
    config,
    fetch: reach,
    publicUrl: 'https://auth.acme.test',
    slugOf: () => 'default',
    timeoutMilliseconds: 20_000,
    ...more,
  });
  const [provider] = all;
  if (!provider) throw new Error('no provider');
  return provider;
}

export const gatewayConfig = (name: string): ProviderConfig => ({ ...NONE, gateways: [recipeOf(name)] });
