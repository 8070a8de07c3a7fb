import { readFileSync } from 'node:fs';
import type { Gateway } from './gateway.ts';
import { parseRecipe } from './gateway-recipe.ts';
import { BadSetting, setting } from './setting.ts';

/** An account of Twilio. The auth token also signs what Twilio reports; calls are made with an API key if there is one. */
export interface TwilioAccount {
  accountSid: string;
  authToken: string;
  apiKey: { user: string; password: string } | undefined;
}

export interface TwilioSettings {
  account: TwilioAccount;
  messaging: { sender: { service: string } | { from: string } } | undefined;
  verify: { service: string; codes: 'own' | 'twilio' } | undefined;
  tenants: readonly string[] | undefined;
}

/** Every provider the configuration names. */
export interface ProviderConfig {
  twilio: TwilioSettings | undefined;
  telegramGateway:
    | { token: string; sender: string | undefined; tenants: readonly string[] | undefined }
    | undefined;
  gateways: readonly Gateway[];
}

export const providerSettings = {
  twilioAccountSid: setting({
    name: 'TWILIO_ACCOUNT_SID',
    section: 'delivery',
    description: 'The Twilio account (`AC…`). See [the guide](../guides/providers.md#twilio).',
    parse: sid('AC'),
  }),
  twilioAuthToken: setting({
    name: 'TWILIO_AUTH_TOKEN',
    section: 'delivery',
    description:
      "The account's auth token: checks the signature of delivery reports, and signs in without an API key.",
    secret: true,
    parse: secretWord,
  }),
  twilioApiKeySid: setting({
    name: 'TWILIO_API_KEY_SID',
    section: 'delivery',
    description: 'An API key (`SK…`) for the calls, so that the auth token can be kept for the signatures.',
    parse: sid('SK'),
  }),
  twilioApiKeySecret: setting({
    name: 'TWILIO_API_KEY_SECRET',
    section: 'delivery',
    description: 'The secret of that API key.',
    secret: true,
    parse: secretWord,
  }),
  twilioMessagingServiceSid: setting({
    name: 'TWILIO_MESSAGING_SERVICE_SID',
    section: 'delivery',
    description: 'Sends SMS by this messaging service (`MG…`).',
    parse: sid('MG'),
  }),
  twilioFrom: setting({
    name: 'TWILIO_FROM',
    section: 'delivery',
    description: 'Sends SMS from this number (`+14155550100`) or name instead of a messaging service.',
    parse: smsSender,
  }),
  twilioVerifyServiceSid: setting({
    name: 'TWILIO_VERIFY_SERVICE_SID',
    section: 'delivery',
    description: 'Sends SMS and calls by this Verify service (`VA…`).',
    parse: sid('VA'),
  }),
  twilioVerifyCodes: setting({
    name: 'TWILIO_VERIFY_CODES',
    section: 'delivery',
    description:
      '`own`: Verify carries our code (custom codes have to be switched on by Twilio). `twilio`: Verify makes and checks the code, after we have counted the attempt.',
    default: 'own',
    parse: verifyCodes,
  }),
  twilioTenants: setting({
    name: 'TWILIO_TENANTS',
    section: 'delivery',
    description: 'Only for these tenants, comma-separated. Unset: for all.',
    parse: slugs,
  }),
  telegramGatewayToken: setting({
    name: 'TELEGRAM_GATEWAY_TOKEN',
    section: 'delivery',
    description:
      'The access token of the Telegram Gateway: codes for phones on the channel `telegram`. See [the guide](../guides/providers.md#telegram-gateway).',
    secret: true,
    parse: secretWord,
  }),
  telegramGatewaySender: setting({
    name: 'TELEGRAM_GATEWAY_SENDER',
    section: 'delivery',
    description: 'A verified channel of your own that the codes come from (its username, without the @).',
    parse: channelName,
  }),
  telegramGatewayTenants: setting({
    name: 'TELEGRAM_GATEWAY_TENANTS',
    section: 'delivery',
    description: 'Only for these tenants, comma-separated. Unset: for all.',
    parse: slugs,
  }),
  smsGateways: setting({
    name: 'FIRSTPROOF_SMS_GATEWAY',
    section: 'delivery',
    description:
      'Files that describe HTTP gateways, comma-separated; the first that serves a tenant is asked first. See [the guide](../guides/providers.md#any-gateway-over-http).',
    parse: (text: string) => list(text),
  }),
} as const;

function sid(prefix: string): (text: string) => string {
  return (text) => {
    if (!new RegExp(`^${prefix}[0-9a-f]{32}$`, 'i').test(text)) {
      throw new BadSetting(`must be ${prefix} and 32 hexadecimal digits, as the Twilio console shows it`);
    }
    return text;
  };
}

function secretWord(text: string): string {
  if (!/^[\x21-\x7e]{8,500}$/.test(text))
    throw new BadSetting('must be one word of 8 visible characters or more');
  return text;
}

function smsSender(text: string): string {
  if (
    !/^\+[1-9]\d{6,14}$/.test(text) &&
    !/^\d{3,8}$/.test(text) &&
    !/^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$/.test(text)
  ) {
    throw new BadSetting(
      'must be a number such as +14155550100, a short code, or a name of at most 11 letters and digits',
    );
  }
  return text;
}

function verifyCodes(text: string): 'own' | 'twilio' {
  if (text !== 'own' && text !== 'twilio') throw new BadSetting('must be one of own, twilio');
  return text;
}

function channelName(text: string): string {
  const name = text.replace(/^@/, '');
  if (!/^[A-Za-z]\w{3,31}$/.test(name)) throw new BadSetting('must be the username of a channel');
  return name;
}

function slugs(text: string): readonly string[] {
  const names = list(text);
  const bad = names.find((name) => !/^[a-z0-9][a-z0-9-]*$/.test(name));
  if (bad !== undefined || names.length === 0)
    throw new BadSetting('must be slugs of tenants, comma-separated');
  return names;
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

type Values = {
  readonly [Name in keyof typeof providerSettings]?:
    | ReturnType<(typeof providerSettings)[Name]['parse']>
    | undefined;
};

interface Problem {
  setting: string;
  message: string;
}

/** The providers of a configuration, whole; half of one keeps the server from starting, and says what is missing. */
export function readProviders(
  values: Values,
  env: Readonly<Record<string, string | undefined>>,
): { providers: ProviderConfig; problems: Problem[] } {
  const problems: Problem[] = [];
  const gateways = (values.smsGateways ?? []).flatMap((path) => {
    const read = readGateway(path, env);
    if (read.ok) return [read.gateway];
    for (const message of read.messages) {
      problems.push({
        setting: 'FIRSTPROOF_SMS_GATEWAY',
        message: `FIRSTPROOF_SMS_GATEWAY: ${path} ${message}.`,
      });
    }
    return [];
  });
  const names = gateways.map((gateway) => gateway.name);
  const taken = [
    'twilio-messaging',
    'twilio-verify',
    'telegram-gateway',
    'smtp',
    'development-inbox',
    'telegram-bot',
  ];
  for (const name of names.filter((one, index) => names.indexOf(one) !== index || taken.includes(one))) {
    const message = `FIRSTPROOF_SMS_GATEWAY: two providers are called "${name}".`;
    problems.push({ setting: 'FIRSTPROOF_SMS_GATEWAY', message });
  }
  const { telegramGatewayToken: token } = values;
  const telegramGateway =
    token === undefined
      ? undefined
      : { token, sender: values.telegramGatewaySender, tenants: values.telegramGatewayTenants };
  return { providers: { twilio: readTwilio(values, problems), telegramGateway, gateways }, problems };
}

function readTwilio(values: Values, problems: Problem[]): TwilioSettings | undefined {
  const { twilioAccountSid: accountSid, twilioAuthToken: authToken } = values;
  const { twilioApiKeySid: keySid, twilioApiKeySecret: keySecret } = values;
  const { twilioMessagingServiceSid: service, twilioFrom: from, twilioVerifyServiceSid: verify } = values;
  const any = [accountSid, authToken, keySid, keySecret, service, from, verify].some(
    (value) => value !== undefined,
  );
  if (!any) return undefined;
  const missing = (name: string, why: string): void => {
    problems.push({ setting: name, message: `${name} is missing: ${why}.` });
  };
  if (accountSid === undefined)
    missing('TWILIO_ACCOUNT_SID', 'the account that the other TWILIO_ settings belong to');
  if (authToken === undefined)
    missing('TWILIO_AUTH_TOKEN', 'without it no delivery report of Twilio can be believed');
  if (keySid !== undefined && keySecret === undefined)
    missing('TWILIO_API_KEY_SECRET', 'the secret of TWILIO_API_KEY_SID');
  if (keySid === undefined && keySecret !== undefined)
    missing('TWILIO_API_KEY_SID', 'the key of TWILIO_API_KEY_SECRET');
  if (service === undefined && from === undefined && verify === undefined) {
    missing(
      'TWILIO_VERIFY_SERVICE_SID',
      'or TWILIO_MESSAGING_SERVICE_SID, or TWILIO_FROM: one of them sends',
    );
  }
  if (accountSid === undefined || authToken === undefined) return undefined;
  const apiKey =
    keySid !== undefined && keySecret !== undefined ? { user: keySid, password: keySecret } : undefined;
  const sender = service !== undefined ? { service } : from !== undefined ? { from } : undefined;
  return {
    account: { accountSid, authToken, apiKey },
    messaging: sender && { sender },
    verify: verify === undefined ? undefined : { service: verify, codes: values.twilioVerifyCodes ?? 'own' },
    tenants: values.twilioTenants,
  };
}

function readGateway(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): ReturnType<typeof parseRecipe> {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (fault) {
    return { ok: false, messages: [`cannot be read (${(fault as NodeJS.ErrnoException).code ?? 'failed'})`] };
  }
  return parseRecipe(source, (kind, name) => {
    if (kind === 'env') {
      const direct = env[name];
      if (direct !== undefined && direct !== '') return { ok: true, value: direct };
      const file = env[`${name}_FILE`];
      return file === undefined || file === ''
        ? { ok: false, message: `asks for \${env:${name}}, which is not set` }
        : readSecret(file);
    }
    return readSecret(name);
  });
}

function readSecret(path: string): { ok: true; value: string } | { ok: false; message: string } {
  try {
    const value = readFileSync(path, 'utf8').trim();
    return value === '' ? { ok: false, message: `asks for ${path}, which is empty` } : { ok: true, value };
  } catch {
    return { ok: false, message: `asks for ${path}, which cannot be read` };
  }
}
