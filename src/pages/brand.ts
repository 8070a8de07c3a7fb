import { contrast, readableOn } from '../kernel/colours.ts';

const LIGHT_SURFACE = '#fffefb';
const DARK_SURFACE = '#181d1a';
/** WCAG 2.2, 1.4.3: text against what is behind it. A little more, as washes lie between. */
const ENOUGH = 5;

/**
 * A tenant's colour as the pages' accent: darkened for light paper and lightened for dark until it can be read, so
 * that no choice of colour makes a page unreadable. @param colour #rrggbb
 */
export function brandStyle(colour: string): string {
  const light = towards(colour, '#000000', LIGHT_SURFACE);
  const dark = towards(colour, '#ffffff', DARK_SURFACE);
  return `:root{${tokens(light, '#ffffff', '#000000')}}@media (prefers-color-scheme: dark){:root{${tokens(dark, DARK_SURFACE, '#ffffff')}}}`;
}

function tokens(accent: string, ground: string, away: string): string {
  const wash = mix(accent, ground, 0.88);
  return `--accent:${accent};--accent-strong:${mix(accent, away, 0.18)};--on-accent:${readableOn(accent)};--accent-wash:${wash}`;
}

function towards(colour: string, goal: string, surface: string): string {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(colour, goal, share);
    if (contrast(mixed, surface) >= ENOUGH) return mixed;
  }
  return goal;
}

/** @param share of the second colour, 0 to 1 */
function mix(one: string, other: string, share: number): string {
  const channel = (at: number): string => {
    const [left, right] = [one, other].map((colour) => Number.parseInt(colour.slice(at, at + 2), 16)) as [
      number,
      number,
    ];
    return Math.round(left + (right - left) * share)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}
