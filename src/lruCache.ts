import { LRUCache } from 'lru-cache';

/**
 * Returns a cache of at most `max` entries, which drops the least recently used one. Its memory grows with its entries:
 * with the option `max` alone, the library would allocate all of it at once.
 */
export const lruCache = <Key extends {}, Value extends {}>(
  max: number,
  options: Pick<LRUCache.Options<Key, Value, unknown>, 'dispose'> = {},
): LRUCache<Key, Value> => new LRUCache<Key, Value>({ ...options, maxSize: max, sizeCalculation: () => 1 });
