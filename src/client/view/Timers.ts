import { createBackoff } from '../backoff.ts';
import { isPassing, type ParleyError } from '../errors.ts';
import { startTimer } from '../timer.ts';

/** Milliseconds before the second read, and the longest pause before later ones. */
export const FIRST_PAUSE = 500;
export const MAX_PAUSE = 8_000;

/** Timers that are ended together. */
export class Timers {
  /** The calls that are due later, each by the function that cancels it. */
  readonly #running = new Map<() => void, () => void>();
  #isOver = false;

  /** Calls `run` after some milliseconds. Returns a function that cancels the call. */
  start(run: () => void, milliseconds: number): () => void {
    if (this.#isOver) return () => {};
    const stop = () => {
      cancel();
      this.#running.delete(stop);
    };
    const cancel = startTimer(() => {
      stop();
      run();
    }, milliseconds);
    this.#running.set(stop, run);
    return stop;
  }

  /** Runs a function until it succeeds. Rejects with an error that is not temporary. */
  async retry<Value>(run: () => Promise<Value>): Promise<Value> {
    for (const pauses = createBackoff(FIRST_PAUSE, MAX_PAUSE, 0); ; )
      try {
        return await run();
      } catch (error) {
        // A read that took the server too long would take as long if it were repeated at once.
        const { code, retryAfter = code === 'TIMEOUT' ? 30 : 0 } = error as ParleyError;
        if (code !== 'INTERNAL' && code !== 'TIMEOUT' && !isPassing(code)) throw error;
        await new Promise<void>((resolve) => this.start(resolve, Math.max(pauses.next(), retryAfter * 1000)));
      }
  }

  /** Ends all timers and runs their functions at once, so that no promise stays pending. Starts no timer from now on. */
  end(): void {
    this.#isOver = true;
    for (const [stop, run] of this.#running) {
      stop();
      run();
    }
  }
}
