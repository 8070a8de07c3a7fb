/** Rows as aligned columns under a heading, two spaces apart. An empty cell shows as a dash. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = [
    heading.map((word) => word.toUpperCase()),
    ...rows.map((row) => row.map((cell) => cell || '-')),
  ];
  const widths = heading.map((_, column) => Math.max(...shown.map((row) => (row[column] ?? '').length)));
  return shown
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** For programs: indented JSON with a line end. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
