import { type Breaker, createBreaker } from './breaker.ts';

/** How much a provider bears. */
export interface LaneLimits {
  /** Tries under way at once. */
  concurrency: number;
  /** Tries begun in a second, over all servers; undefined: as many as come. */
  perSecond: number | undefined;
}

/**
 * Work in lanes, one a provider: one that never answers holds up itself alone. A lane keeps to its provider's limits,
 * rests when the provider asked for it, and is shut by its breaker when the provider fails.
 */
export interface Lanes<Task> {
  add(name: string, task: Task): void;
  /** Milliseconds for which nothing should be put in: its breaker is open or its provider asked for quiet. 0: open. */
  shutFor(name: string): number;
  /** How many more it takes without getting more than it can do soon; below 0 where it has more; 0 while it is shut. */
  room(name: string): number;
  /** The provider asked to be left alone for so long. */
  pause(name: string, milliseconds: number): void;
  succeeded(name: string): void;
  failed(name: string): void;
  /** Begins nothing more and waits for what is under way, so many milliseconds at most. */
  stop(patienceMilliseconds: number): Promise<void>;
}

export interface LanesOptions<Task> {
  limitsOf(name: string): LaneLimits;
  /** Has it waited so long that it is somebody else's by now? Then it is left alone. */
  isStale(task: Task): boolean;
  /** Never rejects. */
  carry(task: Task, name: string): Promise<void>;
  /** The lane was shut, or is too full, before its turn came: another way has to be found. */
  turnAway(task: Task): void;
  /** A lane has nothing waiting any more. */
  onRoom(): void;
  /**
   * Asks for turns among all servers.
   * @returns milliseconds until the first of so many turns, which follow each other evenly
   */
  reserve(name: string, count: number, perSecond: number): Promise<number>;
  random: () => number;
  /** A clock that only runs forward, in milliseconds. */
  now: () => number;
  onBreaker(name: string, state: Breaker['state']): void;
}

interface Lane<Task> {
  name: string;
  limits: LaneLimits;
  breaker: Breaker;
  waiting: Task[];
  running: number;
  pausedUntil: number;
  /** Moments at which a try may begin, in their order; only for a lane with a rate. */
  turns: number[];
  isReserving: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Turns that are later than this are moved. */
const MOST_LATE_MILLISECONDS = 100;
/** A shorter pause is waited for; before a longer one other ways are looked for. */
const SHORT_PAUSE_MILLISECONDS = 5000;

export function createLanes<Task>(options: LanesOptions<Task>): Lanes<Task> {
  const { now } = options;
  const lanes = new Map<string, Lane<Task>>();
  let stopping = false;
  let idle: (() => void) | undefined;

  function laneOf(name: string): Lane<Task> {
    let lane = lanes.get(name);
    if (!lane) {
      const onChange = (state: Breaker['state']): void => options.onBreaker(name, state);
      const breaker = createBreaker({ now, random: options.random, onChange });
      const limits = options.limitsOf(name);
      lane = { name, limits, breaker, waiting: [], running: 0, pausedUntil: 0, turns: [], ...NOT_YET };
      lanes.set(name, lane);
    }
    return lane;
  }

  function shutFor(lane: Lane<Task>): number {
    const paused = lane.pausedUntil - now();
    return Math.max(lane.breaker.restsFor(), paused > SHORT_PAUSE_MILLISECONDS ? paused : 0, 0);
  }

  function most({ limits }: Lane<Task>): number {
    return Math.min(2 * limits.concurrency, Math.max(2, Math.ceil(2 * (limits.perSecond ?? Infinity))));
  }

  function later(lane: Lane<Task>, milliseconds: number): void {
    if (lane.timer) return;
    lane.timer = setTimeout(() => {
      lane.timer = undefined;
      pump(lane);
    }, Math.ceil(milliseconds)).unref();
  }

  /** May a try begin now? If not, the lane is looked at again in time. */
  function takeTurn(lane: Lane<Task>): boolean {
    const paused = lane.pausedUntil - now();
    if (paused > 0) {
      later(lane, paused);
      return false;
    }
    const { perSecond } = lane.limits;
    if (perSecond === undefined) return true;
    const late = now() - (lane.turns[0] ?? now());
    // A server that stood still does not make up for it at once: that would be more than the provider bears.
    if (late > MOST_LATE_MILLISECONDS) lane.turns = lane.turns.map((turn) => turn + late);
    const [turn] = lane.turns;
    if (turn !== undefined && turn <= now()) {
      lane.turns.shift();
      return true;
    }
    if (turn !== undefined) later(lane, turn - now());
    else if (!lane.isReserving) void reserve(lane, perSecond);
    return false;
  }

  async function reserve(lane: Lane<Task>, perSecond: number): Promise<void> {
    lane.isReserving = true;
    const count = Math.min(lane.waiting.length, Math.max(1, Math.ceil(perSecond / 4)));
    try {
      const first = now() + (await options.reserve(lane.name, count, perSecond));
      for (let turn = 0; turn < count; turn++) lane.turns.push(first + (turn * 1000) / perSecond);
    } catch {
      // Where the servers cannot agree each keeps to the rate by itself.
      lane.turns.push(now() + 1000 / perSecond);
    }
    lane.isReserving = false;
    pump(lane);
  }

  function pump(lane: Lane<Task>): void {
    while (lane.running < lane.limits.concurrency && lane.waiting.length > 0 && !stopping) {
      if (shutFor(lane) > 0) {
        const turnedAway = lane.waiting.splice(0);
        for (const task of turnedAway) options.turnAway(task);
        break;
      }
      if (options.isStale(lane.waiting[0] as Task)) {
        options.turnAway(lane.waiting.shift() as Task);
        continue;
      }
      if (!takeTurn(lane)) break;
      run(lane, lane.waiting.shift() as Task);
    }
    if (lane.waiting.length === 0 && lane.running < lane.limits.concurrency && !stopping) options.onRoom();
    if (!isBusy()) idle?.();
  }

  function run(lane: Lane<Task>, task: Task): void {
    lane.running++;
    lane.breaker.begin();
    void options.carry(task, lane.name).finally(() => {
      lane.running--;
      pump(lane);
    });
  }

  function isBusy(): boolean {
    return [...lanes.values()].some((lane) => lane.running > 0);
  }

  return {
    add(name, task) {
      if (stopping) return;
      const lane = laneOf(name);
      lane.waiting.push(task);
      pump(lane);
    },
    shutFor: (name) => shutFor(laneOf(name)),
    room(name) {
      const lane = laneOf(name);
      if (shutFor(lane) > 0) return 0;
      const room = most(lane) - lane.running - lane.waiting.length;
      return lane.breaker.state === 'half_open' ? Math.min(1, room) : room;
    },
    pause(name, milliseconds) {
      const lane = laneOf(name);
      lane.pausedUntil = Math.max(lane.pausedUntil, now() + milliseconds);
      lane.turns = [];
    },
    succeeded: (name) => laneOf(name).breaker.succeeded(),
    failed: (name) => laneOf(name).breaker.failed(),
    async stop(patienceMilliseconds) {
      stopping = true;
      for (const lane of lanes.values()) {
        lane.waiting.length = 0;
        clearTimeout(lane.timer);
      }
      if (!isBusy()) return;
      await new Promise<void>((resolve) => {
        idle = resolve;
        setTimeout(resolve, patienceMilliseconds).unref();
      });
    },
  };
}

const NOT_YET = { isReserving: false, timer: undefined };
