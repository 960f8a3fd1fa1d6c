import type { Logger } from 'pino';

/** Milliseconds between two looks at the clock. */
const BEAT = 250;
/** Milliseconds without a turn of the event loop that are worth a word. */
const BLOCKED = 1_000;

/** Warns when nothing else could run for a while: a long computation, a frozen process, a machine without time for it. */
export function watchEventLoop(log: Logger): { close(): void } {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const ms = Math.round(now - last - BEAT);
    last = now;
    if (ms > BLOCKED) log.warn({ ms }, 'the event loop was blocked');
  }, BEAT).unref();
  return { close: () => clearInterval(timer) };
}
