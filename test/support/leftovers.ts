import { readdirSync, readlinkSync } from 'node:fs';
import { until } from './until.ts';

/** Milliseconds in which what was closed may end. */
const PATIENCE = 5_000;

/** Node does not know the sockets of the native server; on Linux, the files of the process show them. */
const FILES = '/proc/self/fd';

const active = (): string[] => [...process.getActiveResourcesInfo(), ...openSockets()];

function openSockets(): string[] {
  try {
    return readdirSync(FILES).flatMap((file) => (isSocket(`${FILES}/${file}`) ? ['socket'] : []));
  } catch {
    return []; // another system
  }
}

function isSocket(file: string): boolean {
  try {
    return readlinkSync(file).startsWith('socket:');
  } catch {
    return false; // closed in the meantime, as the one that lists the files
  }
}

/** Functions that tests replace, as they were before any test. */
const originals = Object.entries({
  ...{ setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, fetch, Date },
  queueMicrotask,
}).map(([name, value]) => ({ name, value, holder: globalThis as object }));
const methods = [
  { name: 'random', value: Math.random, holder: Math },
  { name: 'now', value: Date.now, holder: Date },
  { name: 'now', value: performance.now, holder: performance },
];

/** Throws if a function of the system is still the one of a test. */
export function assertNothingReplaced(): void {
  const replaced = [...originals, ...methods].filter(
    ({ name, value, holder }) => Reflect.get(holder, name) !== value,
  );
  if (replaced.length === 0) return;
  throw new Error(
    `The tests of this file have left replaced: ${replaced.map(({ name }) => name).join(', ')}`,
  );
}

/**
 * Notes which timers, sockets, processes and the like are active now. The returned function rejects if there are more
 * later: something was not closed.
 */
export function watchLeftovers(): () => Promise<void> {
  const known = countOf(active());
  const leftovers = () =>
    Object.entries(countOf(active())).filter(([type, count]) => count > (known[type] ?? 0));
  return async () => {
    await until(() => leftovers().length === 0, PATIENCE).catch(() => {
      const list = leftovers().map(([type, count]) => `${count - (known[type] ?? 0)} ${type}`);
      throw new Error(`The tests of this file have left behind: ${list.join(', ')}`);
    });
  };
}

function countOf(types: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const type of types) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
