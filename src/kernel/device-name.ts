/** What a device is called until its owner names it: browser and system, as far as the User-Agent tells. */
export function deviceNameOf(userAgent: string | undefined): { kind: string; name: string } {
  if (!userAgent) return { kind: 'app', name: 'Unknown device' };
  const system = /iPhone|iPad|Android|Windows|Mac OS X|CrOS|Linux/
    .exec(userAgent)?.[0]
    ?.replace('Mac OS X', 'macOS');
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1];
  if (browser) return { kind: 'browser', name: system ? `${browser} on ${system}` : browser };
  const product = /^[A-Za-z][\w.-]{0,40}/.exec(userAgent)?.[0];
  return { kind: 'app', name: product ?? 'Unknown device' };
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/YaBrowser\//, 'Yandex Browser'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Version\/.+Safari\//, 'Safari'],
];
