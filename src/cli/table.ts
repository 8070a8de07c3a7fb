import { printable, printableJson } from './printable.ts';

/**
 * Rows as aligned columns under a heading, two spaces apart. An empty cell shows as a dash.
 * @param numbers so many of the last columns are aligned at their right
 */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], numbers = 0): string {
  const shown = [
    heading.map((word) => word.toUpperCase()),
    ...rows.map((row) => row.map((cell) => printable(cell) || '-')),
  ];
  const widths = heading.map((_, column) => Math.max(...shown.map((row) => (row[column] ?? '').length)));
  const isNumber = (column: number): boolean => column >= heading.length - numbers;
  return shown
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * The same rows for a terminal that is too narrow for their table: what each is about in one line, below it its numbers
 * with their names, broken where the terminal ends.
 */
function records(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: number,
  width: number,
): string {
  const first = heading.length - numbers;
  return rows
    .map((row) => {
      const about = row
        .slice(0, first)
        .filter((cell) => cell !== '')
        .map(printable);
      const lines = [about.join('  ')];
      for (const [place, cell] of row.slice(first).entries()) {
        const told = `${heading[first + place]} ${printable(cell) || '-'}`;
        const last = lines.at(-1) ?? '';
        const isRoom = lines.length > 1 && last.length + told.length + 2 <= width;
        if (isRoom) lines[lines.length - 1] = `${last}  ${told}`;
        else lines.push(`  ${told}`);
      }
      return `${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** A table where the terminal is wide enough, or there is none; else records. */
export function tableToFit(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: number,
  width: number | undefined = process.stdout.columns,
): string {
  const whole = table(heading, rows, numbers);
  const widest = Math.max(...whole.split('\n').map((line) => line.length));
  return width === undefined || widest <= width ? whole : records(heading, rows, numbers, width);
}

/** For programs: indented JSON with a line end. */
export function json(value: unknown): string {
  return `${printableJson(JSON.stringify(value, null, 2))}\n`;
}
