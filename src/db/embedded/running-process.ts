import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

/** What is told of a process that runs but may not be looked at. */
export const UNKNOWN_START = 'unknown';

/**
 * Returns a word that names when the process started, or undefined where no such process runs
 * (a zombie does not run). A pid alone proves nothing: the kernel gives it out again.
 */
export function startOfProcess(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The command's name may hold spaces and brackets: the fields are counted from its last bracket.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return answersToSignals(pid) ? UNKNOWN_START : undefined;
    }
  }
  if (!answersToSignals(pid)) return undefined;
  if (process.platform === 'win32') return UNKNOWN_START;
  const ps = spawnSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [, state, started] = /^\s*(\S+)\s+(.*\S)\s*$/.exec(ps.stdout ?? '') ?? [];
  return state?.startsWith('Z') ? undefined : (started ?? UNKNOWN_START);
}

/** Returns the words a process was started with, joined by single spaces; empty where that is hidden. */
export function commandOfProcess(pid: number): string {
  if (process.platform === 'win32') return '';
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return '';
  }
}

/**
 * Returns a word for the place in which pids mean the same: this boot of this kernel and this container.
 * A pid written down elsewhere says nothing here.
 */
export function processSpace(): string {
  if (process.platform !== 'linux') return os.hostname();
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return os.hostname();
  }
}

function answersToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
