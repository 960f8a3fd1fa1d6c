/** Calls `work` after some milliseconds, unless the function that it returns is called before. */
export type Schedule = (work: () => void, milliseconds: number) => () => void;

/** Runs work by the timers of the process. */
export const schedule: Schedule = (work, milliseconds) => {
  const timer = setTimeout(work, milliseconds);
  return () => clearTimeout(timer);
};
