/**
 * Keeps the values of each key. A key with one value, as nearly all have, costs no collection: a `Set` with one value in
 * it takes 230 bytes.
 */
export class OneOrMany<Key, Value extends object> {
  readonly #values = new Map<Key, Value | Set<Value>>();

  /** Keys that have values. */
  get size(): number {
    return this.#values.size;
  }

  keys(): IterableIterator<Key> {
    return this.#values.keys();
  }

  count(key: Key): number {
    const known = this.#values.get(key);
    return known instanceof Set ? known.size : Number(known !== undefined);
  }

  /** The values of a key as they are now. */
  of(key: Key): Value[] {
    const known = this.#values.get(key);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }

  add(key: Key, value: Value): void {
    const known = this.#values.get(key);
    if (known instanceof Set) known.add(value);
    else this.#values.set(key, known === undefined || known === value ? value : new Set([known, value]));
  }

  /** A key without values is forgotten. */
  delete(key: Key, value: Value): void {
    const known = this.#values.get(key);
    if (known instanceof Set) {
      known.delete(value);
      if (known.size === 1) this.#values.set(key, [...known][0] as Value);
    } else if (known === value) this.#values.delete(key);
  }
}
