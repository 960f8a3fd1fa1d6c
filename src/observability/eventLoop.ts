import type { Logger } from 'pino';

/** Milliseconds between two checks. */
const INTERVAL = 250;
/** Milliseconds of blocking from which a warning is logged. */
const BLOCKED = 1_000;

/**
 * Logs a warning when the event loop was blocked: by a long computation, a suspended process or an overloaded machine.
 */
export function watchEventLoop(log: Logger): { close(): void } {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const ms = Math.round(now - last - INTERVAL);
    last = now;
    if (ms > BLOCKED) log.warn({ ms }, 'event loop blocked');
  }, INTERVAL).unref();
  return { close: () => clearInterval(timer) };
}
