import type { OutgoingHttpHeader, ServerResponse } from 'node:http';

/** What a stream shows at one moment. */
export interface StreamState {
  data: unknown;
  /** Nothing follows: the stream ends with it. */
  isLast: boolean;
  /** Seconds until it changes by time alone; null: it does not. */
  changesIn: number | null;
}

export interface StreamOptions {
  /** Who is counted. */
  caller: string;
  headers: Readonly<Record<string, OutgoingHttpHeader | undefined>>;
  /** Reads the state anew; undefined: there is nothing to show any more. */
  next(): Promise<StreamState | undefined>;
  /** Calls back whenever the state may have changed. @returns a function that ends it */
  subscribe(changed: () => void): () => void;
}

/** Server-sent events (HTML, 9.2), so many at once and no more. */
export interface EventStreams {
  hasRoom(caller: string): boolean;
  open(response: ServerResponse, options: StreamOptions): void;
  /** Ends all of them, so that a server can close. */
  stop(): void;
}

const HEART_BEAT_MILLISECONDS = 15_000;
/** Changes that come together are read once. */
const GATHER_MILLISECONDS = 50;
/** A reader that takes nothing is let go of. */
const MOST_UNREAD_BYTES = 64 * 1024;
/** How long a browser waits before it connects again. */
const RECONNECT_MILLISECONDS = 5000;
/** No code lives longer, its waiting time included; a stream that does is forgotten by its page. */
const LONGEST_MILLISECONDS = 30 * 60_000;

export function createEventStreams(bounds: { most: number; mostOfOne: number }): EventStreams {
  const open = new Set<() => void>();
  const byCaller = new Map<string, number>();

  function count(caller: string, change: number): void {
    const next = (byCaller.get(caller) ?? 0) + change;
    if (next > 0) byCaller.set(caller, next);
    else byCaller.delete(caller);
  }

  return {
    hasRoom: (caller) => open.size < bounds.most && (byCaller.get(caller) ?? 0) < bounds.mostOfOne,
    open(response, { caller, headers, next, subscribe }) {
      let shown = '';
      let isOver = false;
      let isReading = false;
      let isStale = false;
      let soon: NodeJS.Timeout | undefined;
      let later: NodeJS.Timeout | undefined;

      function end(): void {
        if (isOver) return;
        isOver = true;
        for (const timer of [soon, later, heart, longest]) clearTimeout(timer);
        unsubscribe();
        open.delete(end);
        count(caller, -1);
        response.end();
      }

      function write(text: string): void {
        if (isOver) return;
        response.write(text);
        if (response.writableLength > MOST_UNREAD_BYTES) response.destroy();
      }

      async function show(): Promise<void> {
        if (isOver) return;
        if (isReading) {
          isStale = true;
          return;
        }
        isReading = true;
        // What could not be read is shown with the next heart-beat.
        const state = await next().catch(() => 'unknown' as const);
        isReading = false;
        if (state === undefined) end();
        else if (state !== 'unknown') tell(state);
        if (isStale) {
          isStale = false;
          changed();
        }
      }

      function tell(state: StreamState): void {
        const text = JSON.stringify(state.data);
        if (text !== shown) write(`event: status\ndata: ${text}\n\n`);
        shown = text;
        if (state.isLast) {
          write('event: end\ndata: {}\n\n');
          end();
          return;
        }
        clearTimeout(later);
        if (state.changesIn !== null) later = setTimeout(changed, (state.changesIn + 0.5) * 1000).unref();
      }

      function changed(): void {
        soon ??= setTimeout(() => {
          soon = undefined;
          void show();
        }, GATHER_MILLISECONDS).unref();
      }

      const unsubscribe = subscribe(changed);
      const heart = setInterval(() => {
        write(':\n\n');
        changed();
      }, HEART_BEAT_MILLISECONDS).unref();
      const longest = setTimeout(end, LONGEST_MILLISECONDS).unref();
      open.add(end);
      count(caller, 1);
      response.on('close', end);
      response.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
        // A connection kept for later would hold up a server that stops.
        connection: 'close',
      });
      write(`retry: ${RECONNECT_MILLISECONDS}\n\n`);
      void show();
    },
    stop() {
      for (const end of open) end();
    },
  };
}
