import type { Config } from '../config/config.ts';
import type { Finding } from './doctor-checks.ts';

/** The ways codes leave this deployment, and what each of them lacks. A secret is never part of a sentence. */
export function checkProviders(config: Config): Finding[] {
  const { twilio, telegramGateway, gateways } = config.providers;
  const development = config.mode === 'development';
  const reports = config.publicUrl?.startsWith('https://') === true;
  const findings: Finding[] = [];
  const subject = 'provider';
  const ok = (name: string, message: string): void => {
    findings.push({ level: 'ok', subject: `${subject} ${name}`, message });
  };
  const for_ = (tenants: readonly string[] | undefined): string =>
    tenants === undefined ? '' : `, for ${tenants.join(', ')} only`;
  for (const gateway of gateways) {
    ok(gateway.name, `carries ${gateway.channels.join(', ')}${for_(gateway.tenants)}`);
    if (!gateway.callback) {
      findings.push({
        level: 'warn',
        subject: `${subject} ${gateway.name}`,
        message: 'tells nothing of what became of a message: fall-back waits in silence',
        remedy: 'Describe its callback, see docs/guides/providers.md.',
      });
    }
  }
  if (twilio?.verify) {
    const whose = twilio.verify.codes === 'own' ? 'our codes' : "Twilio's own codes";
    ok('twilio-verify', `carries sms, voice with ${whose}${for_(twilio.tenants)}`);
  }
  if (twilio?.messaging) {
    const { sender } = twilio.messaging;
    ok(
      'twilio-messaging',
      `carries sms from ${'from' in sender ? sender.from : 'a messaging service'}${for_(twilio.tenants)}`,
    );
  }
  const bySms = gateways.filter(({ channels }) => channels.includes('sms'));
  const codesAlone = [
    ...bySms.filter(({ codesOnly }) => codesOnly).map(({ name }) => name),
    ...(twilio?.verify ? ['twilio-verify'] : []),
  ];
  if (codesAlone.length > 0 && !twilio?.messaging && bySms.every(({ codesOnly }) => codesOnly)) {
    findings.push({
      level: 'warn',
      subject: `${subject} ${codesAlone.join(', ')}`,
      message: 'carries codes only: notices by SMS have no provider',
      remedy: 'Set TWILIO_MESSAGING_SERVICE_SID or TWILIO_FROM, or describe another gateway, beside it.',
    });
  }
  if (telegramGateway) ok('telegram-gateway', `carries telegram to phones${for_(telegramGateway.tenants)}`);
  if (config.smtpUrl) ok('smtp', 'carries email');
  if (findings.length === 0 && !development) {
    findings.push({
      level: 'warn',
      subject: 'providers',
      message: 'none is configured: no code can leave',
      remedy: 'Set SMTP_URL, TWILIO_ACCOUNT_SID or FIRSTPROOF_SMS_GATEWAY, see docs/guides/providers.md.',
    });
  }
  const reporting =
    twilio?.messaging !== undefined || telegramGateway !== undefined || gateways.some((one) => one.callback);
  if (reporting && !reports) {
    findings.push({
      level: 'warn',
      subject: 'delivery reports',
      message: 'none will come: providers cannot call this server',
      remedy: 'Set FIRSTPROOF_PUBLIC_URL to an https address that is reached from the internet.',
    });
  }
  return findings;
}
