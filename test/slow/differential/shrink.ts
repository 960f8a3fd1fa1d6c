/** Returns whether a sequence still fails. */
export type Fails<Item> = (items: readonly Item[]) => Promise<boolean>;

/** Sequences tried concurrently. */
const AT_ONCE = 4;

/**
 * Returns a smaller sequence that still fails, by delta debugging (Zeller, "Yesterday, my program worked. Today, it
 * does not. Why?", 1999): large parts are removed while it still fails without them, then smaller ones. If it fails
 * only sometimes, an unneeded part may stay. Ends at `deadline`, in milliseconds since the epoch.
 */
export async function shrink<Item>(
  failing: readonly Item[],
  fails: Fails<Item>,
  deadline: number,
): Promise<readonly Item[]> {
  let items = failing;
  let size = Math.ceil(items.length / 2);
  while (size >= 1 && Date.now() < deadline) {
    const smaller = await firstFailing(without(items, size), fails, deadline);
    if (smaller) items = smaller;
    else if (size === 1) break;
    size = Math.max(1, Math.min(smaller ? size : Math.ceil(size / 2), Math.ceil(items.length / 2)));
  }
  return items;
}

/** Returns the sequences that each lack one part of that size. */
function without<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.filter((_, index) => Math.floor(index / size) !== part),
  );
}

async function firstFailing<Item>(
  candidates: readonly (readonly Item[])[],
  fails: Fails<Item>,
  deadline: number,
): Promise<readonly Item[] | undefined> {
  for (let at = 0; at < candidates.length && Date.now() < deadline; at += AT_ONCE) {
    const some = candidates.slice(at, at + AT_ONCE);
    const results = await Promise.all(some.map(fails));
    const index = results.indexOf(true);
    if (index >= 0) return some[index];
  }
  return undefined;
}
