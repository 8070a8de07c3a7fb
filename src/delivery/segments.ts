/** How many segments an SMS takes: each is paid like a message. */
export interface SmsSize {
  encoding: 'GSM-7' | 'UCS-2';
  segments: number;
  /** Places taken: septets of GSM-7, code units of UCS-2. */
  used: number;
  /** Places of that many segments. */
  places: number;
}

/** The default alphabet (3GPP TS 23.038 6.2.1), one place each; 0x1b is the escape to the extension table. */
const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** The extension table (6.2.1.1): an escape and a sign, two places that are never parted. */
const GSM_EXTENSION = new Set('\f^{}\\[~]|€');

/** Places of a message of one segment, and of each segment of a longer one: six octets tell which part it is. */
const PLACES = { 'GSM-7': { alone: 160, each: 153 }, 'UCS-2': { alone: 70, each: 67 } } as const;

/** Measures a text as a network would send it: GSM-7 where every sign is in it, else UCS-2 (3GPP TS 23.040). */
export function sizeOfSms(text: string): SmsSize {
  const signs = Array.from(text);
  const isGsm = signs.every((sign) => GSM.has(sign) || GSM_EXTENSION.has(sign));
  const encoding = isGsm ? 'GSM-7' : 'UCS-2';
  // A sign beyond the basic plane is two code units, and those are never parted either.
  const widths = signs.map((sign) => (isGsm ? (GSM.has(sign) ? 1 : 2) : sign.length));
  const used = widths.reduce((sum, width) => sum + width, 0);
  const { alone, each } = PLACES[encoding];
  if (used <= alone) return { encoding, segments: 1, used, places: alone };
  let segments = 1;
  let filled = 0;
  for (const width of widths) {
    if (filled + width > each) {
      segments += 1;
      filled = 0;
    }
    filled += width;
  }
  return { encoding, segments, used, places: segments * each };
}
