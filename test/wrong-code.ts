/** A code of the same length that is certainly not this one. */
export function wrongCode(code: string): string {
  const first = (Number(code[0]) + 1) % 10;
  return `${first}${code.slice(1)}`;
}
