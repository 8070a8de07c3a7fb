/** A code as a Persian keyboard types it. */
export function persianDigits(code: string): string {
  return code.replace(/\d/g, (digit) => String.fromCharCode(0x6f0 + Number(digit)));
}
