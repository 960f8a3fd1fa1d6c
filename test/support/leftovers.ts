import { until } from './until.ts';

/** Milliseconds in which what was closed may end. */
const PATIENCE = 5_000;

const active = (): string[] => process.getActiveResourcesInfo();

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
