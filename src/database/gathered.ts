import DataLoader from 'dataloader';

/** Milliseconds for which the next query waits for the one before. */
const PATIENCE = 1_000;
/** Queries under way at once, where some stall: so many connections of the pool they may take. */
const MAX_AT_ONCE = 3;

/**
 * Loads values by their keys, up to `maxBatch` with one query of `read`, which returns the values in the order of the
 * keys. While one query is under way, what else is asked for is gathered for the next: thousands at once are a few large
 * queries, one after another. Nothing is cached. One that stalls, as on a connection that has broken in silence, holds
 * the next one up for no longer than `patience` milliseconds, until three are under way.
 */
export function gathered<Key, Value>(
  read: (keys: readonly Key[]) => Promise<(Value | Error)[]>,
  maxBatch: number,
  patience = PATIENCE,
): DataLoader<Key, Value> {
  let before: Promise<unknown> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();
  const underWay = new Set<Promise<unknown>>();
  return new DataLoader<Key, Value>(
    (keys) => {
      const values = read(keys);
      const end: Promise<unknown> = values.catch(() => {}).finally(() => underWay.delete(end));
      underWay.add(end);
      before = underWay.size < MAX_AT_ONCE ? within(patience, end) : Promise.race(underWay);
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

/** Resolves when a promise does, or after some milliseconds. */
function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds).unref();
    promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
