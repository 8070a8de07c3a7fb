/** Black or white, whichever is easier to read on this colour (WCAG 2.2 contrast). @param colour #rrggbb */
export function readableOn(colour: string): '#ffffff' | '#111111' {
  const white = contrast(colour, '#ffffff');
  return white >= contrast(colour, '#111111') || white >= 4.5 ? '#ffffff' : '#111111';
}

/** Contrast ratio from 1 to 21. Both as #rrggbb. */
export function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((left, right) => right - left) as [
    number,
    number,
  ];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
