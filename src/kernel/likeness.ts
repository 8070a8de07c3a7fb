/** As alike as PROXY and PROXIES. */
const ALIKE = 0.6;

/** Which of the known names somebody probably meant; undefined where none is spelt almost like it. */
export function meantBy(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((meant) => ({ meant, alike: likeness(name, meant) }))
    .sort((left, right) => right.alike - left.alike);
  return best && best.alike >= ALIKE ? best.meant : undefined;
}

/** Dice's coefficient over pairs of letters: 1 is the same, 0 has no pair in common. */
function likeness(left: string, right: string): number {
  const [one, other] = [pairsOf(left), pairsOf(right)];
  const common = one.filter((pair) => {
    const place = other.indexOf(pair);
    if (place >= 0) other[place] = '';
    return place >= 0;
  }).length;
  return (2 * common) / (one.length + other.length);
}

function pairsOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, at) => text.slice(at, at + 2));
}
