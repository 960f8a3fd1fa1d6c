/** Work that is done repeatedly. */
export interface Recurring {
  /** Starts the work now, or once more if it is running. */
  runSoon(): void;
  /** Aborts the signal and waits for running work. */
  close(): Promise<void>;
}

/** Runs `work`, which never rejects, now and every `milliseconds`, but never concurrently. */
export function recurring(milliseconds: number, work: (closing: AbortSignal) => Promise<void>): Recurring {
  const closing = new AbortController();
  let running: Promise<void> | undefined;
  let isDue = false;

  async function run(): Promise<void> {
    while (isDue && !closing.signal.aborted) {
      isDue = false;
      await work(closing.signal);
    }
    running = undefined;
  }

  const soon = () => {
    isDue = true;
    running ??= run();
  };
  soon();
  const timer = setInterval(soon, milliseconds).unref();
  return {
    runSoon: soon,
    async close() {
      closing.abort();
      clearInterval(timer);
      await running;
    },
  };
}
