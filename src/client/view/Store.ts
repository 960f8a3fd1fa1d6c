import { run, type Unsubscribe } from '../Emitter.ts';

/** A value that changes, and tells so. */
export interface Observable<Value> {
  /** As it is now; the same object until it changes. */
  readonly value: Value;
  /** Calls `listener` after each change, once for all that happens in one go, until the function it returns is called. */
  subscribe(listener: (value: Value) => void): Unsubscribe;
}

/** A value that is made anew when it is looked at after a change. */
export class Store<Value> implements Observable<Value> {
  readonly #make: () => Value;
  readonly #listeners = new Set<(value: Value) => void>();
  #value: Value;
  #stale = false;
  #announced = false;

  constructor(make: () => Value) {
    this.#make = make;
    this.#value = make();
  }

  get value(): Value {
    if (this.#stale) {
      this.#stale = false;
      this.#value = this.#make();
    }
    return this.#value;
  }

  subscribe(listener: (value: Value) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the value is made of has changed. */
  changed(): void {
    this.#stale = true;
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => {
      this.#announced = false;
      for (const listener of [...this.#listeners]) run(listener, this.value);
    });
  }
}
