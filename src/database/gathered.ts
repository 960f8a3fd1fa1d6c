import DataLoader from 'dataloader';

/**
 * Loads values by their keys, up to `maxBatch` with one query of `read`, which returns the values in the order of the
 * keys. While one query is under way, what else is asked for is gathered for the next: thousands at once are a few large
 * queries, one after another. Nothing is cached.
 */
export function gathered<Key, Value>(
  read: (keys: readonly Key[]) => Promise<(Value | Error)[]>,
  maxBatch: number,
): DataLoader<Key, Value> {
  let before: Promise<unknown> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();
  return new DataLoader<Key, Value>(
    (keys) => {
      const values = read(keys);
      before = values.catch(() => {});
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
