import pino from 'pino';
import type { Log, LogFields } from '../kernel/log.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/** Bot tokens travel in URLs; whatever text an error carries, they are cut out of it. */
const BOT_TOKEN = /bot\d+:[\w-]+/g;

/** JSON lines on standard error through pino. Errors are reduced to name, code, a cleaned message and stack. */
export function createJsonLog(level: string): Log {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return logThrough((name, fields, message) => {
    logger[name](
      { ...fields, ...(fields.error === undefined ? {} : { error: describe(fields.error) }) },
      message,
    );
  });
}

/** Lines for people, as development mode and the commands write them: the sentence, then what is known beside it. */
export function createReadableLog(level: string, write: (line: string) => void = toStandardError): Log {
  const least = LEVELS.indexOf(level as Level);
  return logThrough((name, fields, message) => {
    if (least < 0 || LEVELS.indexOf(name) < least) return;
    const time = new Date().toTimeString().slice(0, 8);
    const { event: _, error, ...rest } = fields;
    const facts = Object.entries(rest).map(([key, value]) => ` ${key}=${String(value)}`);
    const cause = error === undefined ? undefined : describe(error);
    const line = `${time} ${name.padEnd(5)} ${message}${facts.join('')}${cause ? `: ${cause.message}` : ''}`;
    // A fault of ours needs its stack; what is merely away does not.
    write(name === 'error' && cause?.stack !== undefined ? `${line}\n${cause.stack}\n` : `${line}\n`);
  });
}

function toStandardError(line: string): void {
  process.stderr.write(line);
}

function logThrough(write: (level: Level, fields: LogFields, message: string) => void): Log {
  const of =
    (level: Level) =>
    (fields: LogFields, message: string): void =>
      write(level, fields, message);
  return { debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error') };
}

/** PostgreSQL's error detail and parameters may quote what a person typed: neither is kept. */
function describe(error: unknown): { name?: string; code?: string; message: string; stack?: string } {
  if (!(error instanceof Error)) return { message: String(error).replace(BOT_TOKEN, 'bot<token>') };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message.replace(BOT_TOKEN, 'bot<token>'),
    ...(error.stack === undefined
      ? {}
      : { stack: error.stack.split('\n').slice(1, 8).join('\n').replace(BOT_TOKEN, 'bot<token>') }),
  };
}
