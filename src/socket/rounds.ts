/**
 * Goes round all items, over and over: each call of what it returns looks at a slice of them, so that a round takes so
 * many `steps` and none of them blocks the event loop for long. `looked` is called at the end of each round. Items may come
 * and go meanwhile, as they may while a `Map` is gone through.
 */
export function createRounds<Item>(
  items: Iterable<Item> & { readonly size: number },
  steps: number,
  look: (item: Item) => void,
  looked: () => void = () => {},
): () => void {
  let rest = items[Symbol.iterator]();
  return () => {
    for (let left = Math.ceil(items.size / steps); left >= 0; left--) {
      const { done, value } = rest.next();
      if (done) {
        rest = items[Symbol.iterator]();
        return looked();
      }
      look(value);
    }
  };
}
