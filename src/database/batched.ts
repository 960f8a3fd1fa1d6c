import DataLoader from 'dataloader';

/** Milliseconds for which the next query waits for the previous one. */
const TIMEOUT = 1_000;
/** Maximum concurrent queries, and therefore connections of the pool, when some stall. */
const MAX_AT_ONCE = 3;

/**
 * Loads values by their keys, up to `maxBatch` with one call of `read`, which returns the values in the order of the
 * keys. While a query runs, further keys are collected for the next: thousands of concurrent loads become a few large
 * queries, one after another. Nothing is cached. A query that stalls, for example on a connection that broke silently,
 * delays the next one by at most `timeout` milliseconds, until three run at once.
 */
export function batched<Key, Value>(
  read: (keys: readonly Key[]) => Promise<(Value | Error)[]>,
  maxBatch: number,
  timeout = TIMEOUT,
): DataLoader<Key, Value> {
  let previous: Promise<unknown> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();
  const underWay = new Set<Promise<unknown>>();
  return new DataLoader<Key, Value>(
    (keys) => {
      const values = read(keys);
      const end: Promise<unknown> = values.catch(() => {}).finally(() => underWay.delete(end));
      underWay.add(end);
      previous = underWay.size < MAX_AT_ONCE ? within(timeout, end) : Promise.race(underWay);
      return values;
    },
    {
      cache: false,
      maxBatchSize: maxBatch,
      batchScheduleFn(dispatch) {
        turn = turn.then(() => {
          dispatch();
          return previous;
        });
      },
    },
  );
}

/** Resolves when a promise does, or after a number of milliseconds. */
function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds).unref();
    promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
