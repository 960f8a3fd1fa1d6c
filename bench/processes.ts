import { readdirSync, readFileSync } from 'node:fs';

/*
 * Processor time from the scheduler's counters in /proc (proc_pid_stat(5)), in microseconds. They are far steadier than
 * rates where others use the machine as well.
 */

/** Microseconds of a clock tick of /proc/<pid>/stat; 100 ticks a second on every Linux. */
const TICK = 10_000;

/** The counters of a process that are needed here, in microseconds. */
export interface ProcessStat {
  readonly parent: number;
  readonly threads: number;
  /** Time used by all threads, those that ended included. */
  readonly own: number;
  /** Time used by children that ended. */
  readonly endedChildren: number;
}

/** Parses a line of /proc/<pid>/stat; the name of the program in it may contain spaces and brackets. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(') ') + 2).split(' ');
  const at = (field: number) => Number(fields[field - 3]); // numbered as in the manual; the third comes first here
  return {
    parent: at(4),
    threads: at(20),
    own: (at(14) + at(15)) * TICK,
    endedChildren: (at(16) + at(17)) * TICK,
  };
}

const statOf = (pid: number): ProcessStat => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** Processor time of a process; to the nanosecond where it has a single thread, in steps of a tick otherwise. */
export function processorTime(pid: number): number {
  const { threads, own } = statOf(pid);
  if (threads > 1) return own;
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  } catch {
    return own; // a kernel without CONFIG_SCHED_INFO
  }
}

/** Processor time of a process and all its children, living and ended. */
export function familyTime(pid: number): number {
  let time = processorTime(pid) + statOf(pid).endedChildren;
  for (const child of childrenOf(pid))
    try {
      time += processorTime(child);
    } catch {
      // ended since; counted from the next look on
    }
  return time;
}

/** Ids of the living children of a process. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => {
      try {
        return statOf(other).parent === pid;
      } catch {
        return false; // ended since
      }
    });
}

/** Resident memory of a process in bytes. */
export function residentMemory(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Bytes of the segment that `malloc` of the main thread takes its memory from; the heap of JavaScript is not in it. */
export function nativeMemory(pid: number): number {
  const segment = /\[heap\]\n[^[]*?Rss:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/smaps`, 'utf8'));
  return Number(segment?.[1]) * 1024;
}

/** Sends a signal; a process that has ended is left in peace. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
