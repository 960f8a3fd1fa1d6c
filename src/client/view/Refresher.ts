import { createBackoff } from '../backoff.ts';
import { FIRST_PAUSE, MAX_PAUSE, type Timers } from './Timers.ts';

/**
 * Reads things by key when they are wanted: at once, then once more after a pause when it was wanted again while it was
 * read, for what came back may be older, or in the pause. The pauses grow while that goes on.
 */
export class Refresher {
  readonly #read: (key: string) => Promise<void>;
  readonly #timers: Timers;
  /** Keys being read, or read a moment ago: true if wanted since. */
  readonly #keys = new Map<string, boolean>();

  /** `read` must not reject. */
  constructor(read: (key: string) => Promise<void>, timers: Timers) {
    this.#read = read;
    this.#timers = timers;
  }

  want(key: string): void {
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
