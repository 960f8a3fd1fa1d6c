/**
 * A queue that serves its owners in turn (round robin), so that a long backlog of one does not delay the others. A
 * paused owner keeps its items and is skipped until it is resumed.
 */
export class FairQueue<Owner, Item> {
  readonly #waiting = new Map<Owner, Item[]>();
  /** Owners with items that are not paused, in the order of their turns. */
  readonly #turns = new Set<Owner>();
  readonly #paused = new Set<Owner>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns the number of items of an owner. */
  sizeOf(owner: Owner): number {
    return this.#waiting.get(owner)?.length ?? 0;
  }

  push(owner: Owner, item: Item): void {
    const items = this.#waiting.get(owner);
    if (items) items.push(item);
    else this.#waiting.set(owner, [item]);
    this.#size++;
    if (!this.#paused.has(owner)) this.#turns.add(owner);
  }

  /** Removes and returns the next item of the owner whose turn it is. Its next turn comes after those of all others. */
  shift(): Item | undefined {
    const [owner] = this.#turns;
    if (owner === undefined) return undefined;
    this.#turns.delete(owner);
    const items = this.#waiting.get(owner) ?? [];
    const item = items.shift();
    this.#size--;
    if (items.length > 0) this.#turns.add(owner);
    else this.#waiting.delete(owner);
    return item;
  }

  remove(owner: Owner, item: Item): void {
    const items = this.#waiting.get(owner) ?? [];
    const at = items.indexOf(item);
    if (at < 0) return;
    items.splice(at, 1);
    this.#size--;
    if (items.length > 0) return;
    this.#waiting.delete(owner);
    this.#turns.delete(owner);
  }

  pause(owner: Owner): void {
    this.#paused.add(owner);
    this.#turns.delete(owner);
  }

  resume(owner: Owner): void {
    if (this.#paused.delete(owner) && this.#waiting.has(owner)) this.#turns.add(owner);
  }

  /** Removes and returns all items. */
  clear(): Item[] {
    const items = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#turns.clear();
    this.#size = 0;
    return items;
  }
}
