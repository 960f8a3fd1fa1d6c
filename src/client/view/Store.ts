import { Emitter, type Unsubscribe } from '../Emitter.ts';

/** A value that changes over time. */
export interface Observable<Value> {
  /** The present value; the same object until it changes. */
  readonly value: Value;
  /**
   * Calls `listener` with the present value after changes, once for all changes of one turn of the event loop. Returns a
   * function that unsubscribes. It needs no `this`.
   */
  readonly subscribe: (listener: (value: Value) => void) => Unsubscribe;
}

/** An observable value that is computed when it is read for the first time after a change. */
export class Store<Value> implements Observable<Value> {
  readonly #compute: () => Value;
  readonly #events = new Emitter<{ changed: undefined }>();
  #value: Value;
  #isStale = false;
  #isAnnounced = false;

  constructor(compute: () => Value) {
    this.#compute = compute;
    this.#value = compute();
  }

  get value(): Value {
    if (this.#isStale) {
      this.#isStale = false;
      this.#value = this.#compute();
    }
    return this.#value;
  }

  readonly subscribe = (listener: (value: Value) => void): Unsubscribe =>
    this.#events.on('changed', () => listener(this.value));

  /** Marks the value as outdated and notifies the subscribers, after the present task. */
  changed(): void {
    this.#isStale = true;
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    queueMicrotask(() => {
      this.#isAnnounced = false;
      this.#events.emit('changed', undefined);
    });
  }
}
