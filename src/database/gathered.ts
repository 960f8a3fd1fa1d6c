import DataLoader from 'dataloader';

/** Milliseconds for which the next query waits for the one before. */
const PATIENCE = 1_000;

/**
 * Loads values by their keys, up to `maxBatch` with one query of `read`, which returns the values in the order of the
 * keys. While one query is under way, what else is asked for is gathered for the next: thousands at once are a few large
 * queries, one after another. Nothing is cached. One that stalls, as on a connection that has broken in silence, holds
 * the next one up for no longer than `patience` milliseconds.
 */
export function gathered<Key, Value>(
  read: (keys: readonly Key[]) => Promise<(Value | Error)[]>,
  maxBatch: number,
  patience = PATIENCE,
): DataLoader<Key, Value> {
  let before: Promise<unknown> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();
  return new DataLoader<Key, Value>(
    (keys) => {
      const values = read(keys);
      before = endOf(values, patience);
      return values;
    },
    {
      cache: false,
      maxBatchSize: maxBatch,
      batchScheduleFn(dispatch) {
        turn = turn.then(() => {
          dispatch();
          return before;
        });
      },
    },
  );
}

/** Resolves when a promise is settled, or after some milliseconds. */
function endOf(promise: Promise<unknown>, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience).unref();
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(end, end);
  });
}
