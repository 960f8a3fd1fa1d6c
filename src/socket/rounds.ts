/**
 * Visits all items, over and over: each call of the function it returns looks at a slice of them, so that a round takes so
 * many `steps` and none of them blocks the event loop for long. `looked` is called at the end of each round. Items may be
 * added and removed in between, as in an iteration over a `Map`.
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
