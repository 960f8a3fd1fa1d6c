import { createBackoff } from '../backoff.ts';
import { FIRST_PAUSE, MAX_PAUSE, type Timers } from './Timers.ts';

/**
 * Reads things by key on request: at once, and again after a pause if it was requested during the read, which may have
 * returned an older state, or during the pause. The pauses grow as long as that continues.
 */
export class Refresher {
  readonly #read: (key: string) => Promise<void>;
  readonly #timers: Timers;
  /** Keys that are being read, or in the pause after it: true if they were requested since. */
  readonly #keys = new Map<string, boolean>();

  /** `read` must not reject. */
  constructor(read: (key: string) => Promise<void>, timers: Timers) {
    this.#read = read;
    this.#timers = timers;
  }

  /** Requests a read. */
  refresh(key: string): void {
    if (this.#keys.has(key)) this.#keys.set(key, true);
    else void this.#run(key);
  }

  async #run(key: string, pauses = createBackoff(FIRST_PAUSE, MAX_PAUSE, 0)): Promise<void> {
    this.#keys.set(key, false);
    await this.#read(key);
    this.#timers.start(() => {
      if (this.#keys.get(key)) void this.#run(key, pauses);
      else this.#keys.delete(key);
    }, pauses.next());
  }
}
