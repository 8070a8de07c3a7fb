import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const TICKS_A_SECOND = 100;

/** Processor seconds that a process has used, user and system; NaN where the system does not tell. */
export function processorSeconds(pid: number): number {
  const fields = readFields(pid);
  return fields ? fields.own / TICKS_A_SECOND : Number.NaN;
}

/** The same of a process, its children and those that have ended: a PostgreSQL with all its connections. */
export function processorSecondsOfFamily(pid: number): number {
  const parent = readFields(pid);
  if (!parent) return Number.NaN;
  let ticks = parent.own + parent.ended;
  for (const name of readdirSync('/proc')) {
    const child = /^\d+$/.test(name) ? readFields(Number(name)) : undefined;
    if (child?.parent === pid) ticks += child.own;
  }
  return ticks / TICKS_A_SECOND;
}

/** proc(5): after the name, which may hold anything, come state, parent, and from the twelfth on the times. */
function readFields(pid: number): { parent: number; own: number; ended: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0] = fields.slice(1);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11);
    return { parent, own: user + system, ended: endedUser + endedSystem };
  } catch {
    return undefined;
  }
}
