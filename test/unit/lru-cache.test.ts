import { expect } from 'chai';
import { lruCache } from '../../src/lruCache.ts';

describe('a cache of the least recently used entries', () => {
  it('keeps as many as it may, and drops and reports the one used longest ago', () => {
    const dropped: string[] = [];
    const cache = lruCache<string, number>(2, {
      dispose: (_, key, reason) => {
        if (reason === 'evict') dropped.push(key);
      },
    });
    cache.set('a', 1).set('b', 2);
    cache.get('a');
    cache.set('b', 3).set('a', 4).set('c', 5);
    expect([...cache.keys()].sort()).to.deep.equal(['a', 'c']);
    expect(dropped).to.deep.equal(['b']);
  });
});
