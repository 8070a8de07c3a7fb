/** What the person at the terminal sees while rows go by. */
export interface Progress {
  tell(state: { bytes: number; rows: number; refused: number }): void;
  /** Ends the line, so that what follows begins on its own. */
  end(): void;
}

const WIDTH = 28;
const REDRAW_MILLISECONDS = 100;
const LINE_MILLISECONDS = 5000;

/** A bar on a terminal; where the output goes to a file, a line every five seconds. */
export function createProgress(
  output: NodeJS.WriteStream,
  totalBytes: number,
  milliseconds: () => number,
): Progress {
  const started = milliseconds();
  const bar = output.isTTY;
  let told = bar ? Number.NEGATIVE_INFINITY : started;
  let last = '';
  return {
    tell({ bytes, rows, refused }) {
      const now = milliseconds();
      const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
      const rate = Math.round((rows * 1000) / Math.max(1, now - started));
      const facts = `${Math.floor(share * 100)} %  ${rows} rows  ${rate}/s${refused > 0 ? `  ${refused} refused` : ''}`;
      last = bar
        ? `\r${'█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░')}  ${facts}   `
        : `${facts}\n`;
      if (now - told < (bar ? REDRAW_MILLISECONDS : LINE_MILLISECONDS)) return;
      told = now;
      output.write(last);
    },
    end() {
      if (bar && last !== '') output.write(`${last}\n`);
    },
  };
}
