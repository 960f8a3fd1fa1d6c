import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { until } from './until.ts';

/** Milliseconds in which what was closed may end. */
const PATIENCE = 5_000;

/**
 * Node does not know the sockets of the native server. On Linux, the files of the process show them, and tables of the
 * system which of them are TCP: others are of child processes, such as the compiler that loads the tests.
 */
const FILES = '/proc/self/fd';
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
const INODE = 9;

const active = (): string[] => [...process.getActiveResourcesInfo(), ...tcpSockets()];

function tcpSockets(): string[] {
  try {
    const rows = TABLES.flatMap((table) => readFileSync(table, 'utf8').trim().split('\n'));
    const links = new Set(rows.map((row) => `socket:[${row.trim().split(/\s+/)[INODE]}]`));
    return readdirSync(FILES).flatMap((file) =>
      links.has(linkOf(`${FILES}/${file}`)) ? ['TCP socket'] : [],
    );
  } catch {
    return []; // another system
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return ''; // closed in the meantime, as the one that lists the files
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
