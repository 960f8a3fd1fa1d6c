import type { ChatId, ConnectionId } from '../ids.ts';

/** A waiting or running change of a group. */
export class PendingChange {
  /** The connection of the command. */
  readonly origin: ConnectionId;
  /** Null while a group is created. */
  readonly groupId: ChatId | null;
  /** Removes the change from the count of the queue; further calls do nothing. */
  readonly leaveQueue: () => void;
  /** Rejects when the change is discarded. */
  readonly discarded: Promise<never>;
  /** Resolves when the change has ended. */
  readonly ended: Promise<void>;
  #state: 'waiting' | 'running' | 'ended' = 'waiting';
  #error: unknown;
  #reject: (error: unknown) => void = () => {};
  #end: () => void = () => {};

  constructor(origin: ConnectionId, groupId: ChatId | null, leaveQueue: () => void) {
    this.origin = origin;
    this.groupId = groupId;
    let isInQueue = true;
    this.leaveQueue = () => {
      if (isInQueue) leaveQueue();
      isInQueue = false;
    };
    this.discarded = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Discards the change unless it is already running. */
  discard(error: unknown): void {
    if (this.#state !== 'waiting' || this.#error) return;
    this.#error = error;
    this.#reject(error);
  }

  /** Throws if it was discarded. */
  check(): void {
    if (this.#error) throw this.#error;
  }

  /** Marks the change as running; throws if it was discarded. */
  begin(): void {
    this.check();
    this.#state = 'running';
    this.leaveQueue();
  }

  end(): void {
    this.#state = 'ended';
    this.leaveQueue();
    this.#end();
  }
}
