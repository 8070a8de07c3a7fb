import { meantBy } from '../kernel/likeness.ts';
import type { Setting } from './setting.ts';

/** A variable that looks like a setting and is none, and the setting that was probably meant. */
export interface MisspeltSetting {
  name: string;
  meant: string;
}

/** Variables of programs that call the server. */
const OF_CLIENTS = ['FIRSTPROOF_URL', 'FIRSTPROOF_API_KEY'];
const PREFIX = 'FIRSTPROOF_';

/**
 * Variables that begin like ours, name no setting and are spelt almost like one: a guard that somebody believes to be on.
 * Others may be anybody's own, such as the password of a gateway.
 */
export function findMisspeltSettings(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting<unknown>[],
): MisspeltSetting[] {
  const known = settings.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
  const bareNames = new Map(known.map((name) => [bare(name), name]));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !OF_CLIENTS.includes(name))
    .flatMap((name) => {
      const meant = meantBy(bare(name), [...bareNames.keys()]);
      const setting = meant === undefined ? undefined : bareNames.get(meant);
      return setting === undefined ? [] : [{ name, meant: setting }];
    });
}

/** What all of them begin with makes none of them alike. */
function bare(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}
