import type { Config } from '../config/config.ts';
import type { Databases } from '../db/databases.ts';
import type { Provider, SmtpOptions } from '../delivery/delivery.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Pace } from '../telegram/telegram.ts';

/** What a server is made of: configuration and opened databases, and what tests put in another's place. */
export interface AppOptions {
  config: Config;
  databases: Databases;
  secrets: readonly string[];
  publicUrl: string;
  clock: Clock;
  log: Log;
  version: string;
  /** Ways to deliver besides the development inbox. */
  providers?: readonly Provider[];
  /** How fast a bot may speak, where Telegram is not the real one. */
  telegramPace?: Pace;
  /** How the configured providers are reached. */
  fetch?: typeof fetch;
  /** How long a provider may hold a try; ten seconds unless told otherwise. */
  providerTimeoutMilliseconds?: number;
  /** How to reach the mail server, beside SMTP_URL. */
  smtp?: Partial<SmtpOptions>;
  /** Telegram's key for Mini Apps of third parties; another one only in tests. */
  telegramPublicKey?: string;
  /** How often the revocation feed proves that it still hears. */
  beatMilliseconds?: number;
}
