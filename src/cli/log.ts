import pino from 'pino';
import type { Log, LogFields } from '../kernel/log.ts';

/** Bot tokens travel in URLs; whatever text an error carries, they are cut out of it. */
const BOT_TOKEN = /bot\d+:[\w-]+/g;

/** JSON lines on standard error through pino. Errors are reduced to name, code, a cleaned message and stack. */
export function createLog(level: string): Log {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  const write =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      logger[name](
        { ...fields, ...(fields.error === undefined ? {} : { error: describe(fields.error) }) },
        message,
      );
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** PostgreSQL's error detail and parameters may quote what a person typed: neither is kept. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error).replace(BOT_TOKEN, 'bot<token>') };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message.replace(BOT_TOKEN, 'bot<token>'),
    stack: error.stack?.split('\n').slice(1, 8).join('\n').replace(BOT_TOKEN, 'bot<token>'),
  };
}
