/** Calls `work` after some milliseconds, unless the function that it returns is called before. */
export type Schedule = (work: () => void, milliseconds: number) => () => void;

/** Runs work by timers of the process, which do not keep it alive. */
export const schedule: Schedule = (work, milliseconds) => {
  const timer = setTimeout(work, milliseconds).unref();
  return () => clearTimeout(timer);
};
