import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { median } from './statistics.ts';

/** Resident memory of one process, in megabytes (2^20 bytes). */
export interface MemoryUse {
  readonly median: number;
  readonly max: number;
}

/** Samples the resident memory of processes while they work. */
export interface MemoryWatch {
  /** Stops sampling; one entry per watched process, in the order given. */
  stop(): number[][];
}

/** Resident memory of a process now, in megabytes; undefined when it is gone. Linux and macOS. */
function readResidentMemory(pid: number): number | undefined {
  try {
    if (process.platform === 'linux') {
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
    }
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
  } catch {
    return undefined;
  }
}

/** Watches the processes ten times a second. */
export function watchMemory(pids: readonly number[]): MemoryWatch {
  const samples = pids.map((): number[] => []);
  const timer = setInterval(() => {
    for (const [index, pid] of pids.entries()) {
      const megabytes = readResidentMemory(pid);
      if (megabytes !== undefined) samples[index]?.push(megabytes);
    }
  }, 100);
  return {
    stop() {
      clearInterval(timer);
      return samples;
    },
  };
}

/** Median and maximum of samples in megabytes. */
export function summarizeMemory(samples: readonly number[]): MemoryUse {
  return { median: median(samples), max: samples.reduce((highest, sample) => Math.max(highest, sample), 0) };
}
