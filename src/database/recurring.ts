/** Work that comes around by itself. */
export interface Recurring {
  /** Has it done now, and once more if it is under way. */
  soon(): void;
  /** Ends it: aborts the signal, and waits for what is under way. */
  close(): Promise<void>;
}

/** Does `work`, which never rejects, now and every so many milliseconds, but never twice at a time. */
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
    soon,
    async close() {
      closing.abort();
      clearInterval(timer);
      await running;
    },
  };
}
