/** Structured logging as the rest of the server sees it: fields first, then a sentence. Fields are allow-listed. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/**
 * The only fields that may be logged. No address, code, token, password or header is among them, so none can
 * slip into a log by accident (ASVS 16.2.5).
 */
export interface LogFields {
  event?: string;
  /** A place of an audit trail: `<position>:<hash>`. */
  anchor?: string;
  tenant?: string;
  database?: string;
  route?: string;
  method?: string;
  status?: number;
  milliseconds?: number;
  request_id?: string;
  provider?: string;
  channel?: string;
  message_id?: string;
  count?: number;
  /** A range of ten thousand phone numbers. */
  prefix?: string;
  pid?: number;
  port?: number;
  version?: string;
  /** Why, as a single word of a library or a protocol, such as `invalid_client`. */
  reason?: string;
  error?: unknown;
}

/** Swallows everything. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
