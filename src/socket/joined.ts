/** Registered connections. */
type Registered<One> = Iterable<One> & { readonly size: number };

/** Returns the connections of two registries, as they are whenever they are asked for. */
export function joined<One, Other>(one: Registered<One>, other: Registered<Other>): Registered<One | Other> {
  return {
    get size() {
      return one.size + other.size;
    },
    *[Symbol.iterator]() {
      yield* one;
      yield* other;
    },
  };
}
