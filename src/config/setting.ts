/** What one environment variable means: the source of its type, default, check and documentation. */
export interface Setting<T> {
  name: string;
  section: 'server' | 'database' | 'security' | 'delivery' | 'limits' | 'logging';
  description: string;
  /** As it would be written, for the reference table; undefined: no default. */
  default: string | undefined;
  /** May also be given as NAME_FILE, and is never printed. */
  secret: boolean;
  /** @throws BadSetting with what is wrong and what would be right */
  parse(text: string): T;
}

/** A value that cannot be used. The message completes the sentence "NAME …". */
export class BadSetting extends Error {}

export function setting<T>(
  options: Omit<Setting<T>, 'secret' | 'default'> & { secret?: boolean; default?: string },
): Setting<T> {
  return { secret: false, ...options, default: options.default };
}
