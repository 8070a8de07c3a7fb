import type { Setting } from './setting.ts';

/** A variable that looks like a setting and is none, and the setting that was probably meant. */
export interface MisspeltSetting {
  name: string;
  meant: string;
}

/** Variables of programs that call the server. */
const OF_CLIENTS = ['FIRSTPROOF_URL', 'FIRSTPROOF_API_KEY'];
const PREFIX = 'FIRSTPROOF_';
/** As alike as PROXY and PROXIES. */
const ALIKE = 0.6;

/**
 * Variables that begin like ours, name no setting and are spelt almost like one: a guard that somebody believes to be on.
 * Others may be anybody's own, such as the password of a gateway.
 */
export function findMisspeltSettings(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting<unknown>[],
): MisspeltSetting[] {
  const known = settings.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !OF_CLIENTS.includes(name))
    .flatMap((name) => {
      const [best] = known
        .map((meant) => ({ meant, alike: likeness(name, meant) }))
        .sort((left, right) => right.alike - left.alike);
      return best && best.alike >= ALIKE ? [{ name, meant: best.meant }] : [];
    });
}

/** Dice's coefficient over pairs of letters, the prefix aside: 1 is the same, 0 has no pair in common. */
function likeness(left: string, right: string): number {
  const [one, other] = [pairsOf(left), pairsOf(right)];
  const common = one.filter((pair) => {
    const place = other.indexOf(pair);
    if (place >= 0) other[place] = '';
    return place >= 0;
  }).length;
  return (2 * common) / (one.length + other.length);
}

function pairsOf(name: string): string[] {
  const text = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, at) => text.slice(at, at + 2));
}
