/** Work in lanes, one a channel: a mail server that never answers holds up e-mail, and no SMS. */
export interface Lanes<Task> {
  add(channel: string, task: Task): void;
  /** How many more may be taken on without any lane getting more than it can do soon, and the lanes that are full. */
  room(): { room: number; full: string[] };
  /** Begins nothing more and waits for what is under way, so many milliseconds at most. */
  stop(patienceMilliseconds: number): Promise<void>;
}

export interface LanesOptions<Task> {
  /** Tasks of one lane at once. */
  concurrency: number;
  /** Has it waited so long that it is somebody else's by now? Then it is dropped. */
  isStale(task: Task): boolean;
  /** Never rejects. */
  carry(task: Task): Promise<void>;
}

export function createLanes<Task>(options: LanesOptions<Task>): Lanes<Task> {
  const lanes = new Map<string, { waiting: Task[]; running: number }>();
  const most = 2 * options.concurrency;
  let stopping = false;
  let idle: (() => void) | undefined;

  function pump(lane: { waiting: Task[]; running: number }): void {
    while (lane.running < options.concurrency && !stopping) {
      const task = lane.waiting.shift();
      if (!task) break;
      if (options.isStale(task)) continue;
      lane.running++;
      void options.carry(task).finally(() => {
        lane.running--;
        pump(lane);
      });
    }
    if (!isBusy()) idle?.();
  }

  function isBusy(): boolean {
    return [...lanes.values()].some((lane) => lane.running > 0);
  }

  return {
    add(channel, task) {
      if (stopping) return;
      let lane = lanes.get(channel);
      if (!lane) {
        lane = { waiting: [], running: 0 };
        lanes.set(channel, lane);
      }
      lane.waiting.push(task);
      pump(lane);
    },
    room() {
      const rooms = [...lanes].map(([channel, { running, waiting }]) => ({
        channel,
        room: most - running - waiting.length,
      }));
      const open = rooms.flatMap(({ room }) => (room > 0 ? [room] : []));
      return {
        room: Math.min(most, ...open),
        full: rooms.flatMap(({ channel, room }) => (room > 0 ? [] : [channel])),
      };
    },
    async stop(patienceMilliseconds) {
      stopping = true;
      for (const lane of lanes.values()) lane.waiting.length = 0;
      if (!isBusy()) return;
      await new Promise<void>((resolve) => {
        idle = resolve;
        setTimeout(resolve, patienceMilliseconds).unref();
      });
    },
  };
}
