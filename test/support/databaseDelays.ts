import pg from 'pg';

/** A connection to the database, as far as pg parses what arrives at it. */
interface Source {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** A method of pg that its types do not have: it parses what arrives at a connection. */
interface Internals {
  attachListeners(source: Source): void;
}

const { random } = Math;
const later = setTimeout;

/**
 * Delays answers of the database: half of them by about `mean` milliseconds, at random, in their order. Shows tests that
 * pass only on a fast machine.
 */
export function delayAnswers(mean: number): void {
  const internals = pg.Connection.prototype as unknown as Internals;
  const { attachListeners } = internals;
  internals.attachListeners = function (source) {
    const inOrder = delayedQueue(mean);
    const delayed: Source = {
      on(event, listener) {
        const isAnswer = event === 'data' || event === 'end';
        return source.on(event, isAnswer ? (...args) => inOrder(() => listener(...args)) : listener);
      },
    };
    attachListeners.call(this, delayed);
  };
}

/** Returns a function that runs what it gets in order, each batch after a delay of its own. */
function delayedQueue(mean: number): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  const schedule = () => later(run, random() < 0.5 ? 0 : -Math.log(random()) * mean);
  const run = () => {
    for (const work of waiting.splice(0)) work();
  };
  return (work) => {
    if (waiting.push(work) === 1) schedule();
  };
}
