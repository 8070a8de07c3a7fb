import { readFileSync, statSync } from 'node:fs';
import { type CaptchaSettings, type challengeSettings, readCaptcha } from './challenge-settings.ts';
import { findMisspeltSettings, type MisspeltSetting } from './misspelt-settings.ts';
import { type ProviderConfig, type providerSettings, readProviders } from './provider-settings.ts';
import { BadSetting, type Setting, settings } from './settings.ts';
import { halfTelegramLogin, type telegramLoginSettings } from './telegram-settings.ts';

type SettingName = keyof typeof settings;
type ValueOf<S> = S extends Setting<infer T> ? T : never;
type Optional =
  | Exclude<keyof typeof providerSettings, 'twilioVerifyCodes'>
  | Exclude<keyof typeof challengeSettings, 'freeSendsPerCallerPerHour' | 'captchaWhenAway'>
  | 'managementPort'
  | 'publicUrl'
  | 'databaseUrl'
  | 'databases'
  | 'secrets'
  | 'smtpUrl'
  | 'smtpFrom'
  | 'telegramBotToken'
  | keyof typeof telegramLoginSettings;

/** The configuration, parsed once and frozen. Nothing else reads the environment. */
export type Config = Readonly<
  { [Name in Exclude<SettingName, Optional>]: ValueOf<(typeof settings)[Name]> } & {
    [Name in Optional]: ValueOf<(typeof settings)[Name]> | undefined;
  } & {
    providers: ProviderConfig;
    captcha: CaptchaSettings | undefined;
    /** Variables that were probably meant as settings: to be warned of. */
    misspelt: readonly MisspeltSetting[];
  }
>;

/** A setting that keeps the server from starting: its name, and the sentence that says what to do. */
export interface ConfigProblem {
  setting: string;
  message: string;
}

export type ConfigResult = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };

export interface ConfigSource {
  /** The environment; a value here wins over the same one of `.env`. */
  env: Readonly<Record<string, string | undefined>>;
  /** Settings given on the command line, which win over everything. */
  overrides?: Partial<Record<SettingName, string>>;
  /** False for work that only needs the databases (migrations): production then asks for no URL and no secret. */
  serving?: boolean;
}

/**
 * Reads every setting, and reports all that is wrong at once rather than the first.
 * Production refuses to start without its public URL and its secret, and with what is only fit for development.
 */
export function loadConfig(source: ConfigSource): ConfigResult {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings) as [SettingName, Setting<unknown>][]) {
    try {
      const text = source.overrides?.[key] ?? read(setting, source.env) ?? setting.default;
      values[key] = text === undefined ? undefined : setting.parse(text);
    } catch (fault) {
      if (!(fault instanceof BadSetting)) throw fault;
      problems.push({ setting: setting.name, message: `${setting.name} ${fault.message}.` });
    }
  }
  const config = values as Config;
  if (config.smtpUrl !== undefined && config.smtpFrom === undefined) {
    if (!problems.some((problem) => problem.setting === 'SMTP_FROM')) {
      problems.push({
        setting: 'SMTP_FROM',
        message:
          'SMTP_FROM is missing: the address that e-mails come from, such as no-reply@auth.example.com.',
      });
    }
  }
  values['misspelt'] = findMisspeltSettings(source.env, Object.values(settings));
  const half = halfTelegramLogin(config);
  if (half && !problems.some(({ setting }) => setting === half.setting)) problems.push(half);
  const found = readProviders(config, source.env);
  values['providers'] = found.providers;
  problems.push(...found.problems.filter((one) => !problems.some(({ setting }) => setting === one.setting)));
  const { captcha, problems: lacking } = readCaptcha(config);
  values['captcha'] = captcha;
  problems.push(...lacking.filter((one) => !problems.some(({ setting }) => setting === one.setting)));
  if (config.mode === 'production' && source.serving !== false) {
    problems.push(...productionProblems(config, problems));
  }
  if (
    config.mode === 'development' &&
    source.env['HOST'] === undefined &&
    source.overrides?.host === undefined
  ) {
    values['host'] = '127.0.0.1';
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: Object.freeze(config) };
}

function productionProblems(config: Config, known: readonly ConfigProblem[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report = (setting: string, message: string): void => {
    if (!known.some((problem) => problem.setting === setting)) problems.push({ setting, message });
  };
  if (config.publicUrl === undefined) {
    report(
      'FIRSTPROOF_PUBLIC_URL',
      'FIRSTPROOF_PUBLIC_URL is missing: the https address people reach this server by.',
    );
  } else if (/\/\/([^/]*\.)?example\.(com|org|net)\b/.test(config.publicUrl)) {
    report(
      'FIRSTPROOF_PUBLIC_URL',
      'FIRSTPROOF_PUBLIC_URL is an example value: set the address of this server.',
    );
  } else if (
    !config.publicUrl.startsWith('https://') &&
    !/\/\/(localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)/.test(config.publicUrl)
  ) {
    report('FIRSTPROOF_PUBLIC_URL', 'FIRSTPROOF_PUBLIC_URL must begin with https:// in production.');
  }
  if (config.secrets === undefined) {
    report('FIRSTPROOF_SECRET', 'FIRSTPROOF_SECRET is missing: make one with `openssl rand -base64 48`.');
  }
  if (config.budgets === 'relaxed') {
    report(
      'FIRSTPROOF_BUDGETS',
      'FIRSTPROOF_BUDGETS=relaxed is for load programs and is refused in production.',
    );
  }
  return problems;
}

/** NAME, or for a secret the content of the file that NAME_FILE names. An empty value counts as unset. */
function read(setting: Setting<unknown>, env: ConfigSource['env']): string | undefined {
  const direct = env[setting.name];
  if (direct !== undefined && direct !== '') return direct;
  if (!setting.secret) return undefined;
  const file = env[`${setting.name}_FILE`];
  if (file === undefined || file === '') return undefined;
  let content: string;
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0) {
      throw new BadSetting(`is read from ${file}, which everybody may read: chmod 600 it`);
    }
    content = readFileSync(file, 'utf8').trim();
  } catch (fault) {
    if (fault instanceof BadSetting) throw fault;
    throw new BadSetting(`cannot be read from ${file}: ${(fault as Error).message}`);
  }
  if (content === '') throw new BadSetting(`is read from ${file}, which is empty`);
  return content;
}
