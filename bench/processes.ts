import { readdirSync, readFileSync } from 'node:fs';

/*
 * Reads processor times from the scheduler's counters in /proc (proc_pid_stat(5)), in microseconds. They vary less than
 * rates when other processes use the machine.
 */

/** Microseconds of a clock tick of /proc/<pid>/stat; 100 ticks a second on every Linux. */
const TICK = 10_000;

/** Counters of a process in microseconds. */
export interface ProcessStat {
  readonly parent: number;
  readonly threads: number;
  /** Time used by all threads, including ended ones. */
  readonly own: number;
  /** Time used by children that ended. */
  readonly endedChildren: number;
}

/** Parses a line of /proc/<pid>/stat; the name of the program in it may contain spaces and brackets. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(') ') + 2).split(' ');
  const at = (field: number) => Number(fields[field - 3]); // numbered as in the manual; the array begins with the third
  return {
    parent: at(4),
    threads: at(20),
    own: (at(14) + at(15)) * TICK,
    endedChildren: (at(16) + at(17)) * TICK,
  };
}

const statOf = (pid: number): ProcessStat => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** Returns the processor time of a process: exact for a single thread, otherwise in steps of a tick. */
export function processorTime(pid: number): number {
  const { threads, own } = statOf(pid);
  if (threads > 1) return own;
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  } catch {
    return own; // a kernel without CONFIG_SCHED_INFO
  }
}

/** Returns the processor time of a process and all its children, living and ended. */
export function familyTime(pid: number): number {
  let time = processorTime(pid) + statOf(pid).endedChildren;
  for (const child of childrenOf(pid))
    try {
      time += processorTime(child);
    } catch {
      // it has ended and is counted from the next reading on
    }
  return time;
}

/** Returns the ids of the living children of a process. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => {
      try {
        return statOf(other).parent === pid;
      } catch {
        return false; // it has ended
      }
    });
}

/** Returns the resident memory of a process in bytes. */
export function residentMemory(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Returns the bytes of the segment used by `malloc` of the main thread, which excludes the JavaScript heap. */
export function nativeMemory(pid: number): number {
  const segment = /\[heap\]\n[^[]*?Rss:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/smaps`, 'utf8'));
  return Number(segment?.[1]) * 1024;
}

/** Sends a signal; does nothing if the process has ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
