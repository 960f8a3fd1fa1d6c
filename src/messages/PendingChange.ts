import type { ChatId, ConnectionId } from '../ids.ts';

/** A change of a group that waits or runs. */
export class PendingChange {
  /** The connection that asked for it. */
  readonly origin: ConnectionId;
  /** Null for a group that is only made. */
  readonly groupId: ChatId | null;
  /** Called when it does not wait any more, once or several times. */
  readonly leaveQueue: () => void;
  /** Rejects when it is discarded. */
  readonly discarded: Promise<never>;
  /** Resolves when it is over. */
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

  /** Gives it up, unless it runs already. */
  discard(error: unknown): void {
    if (this.#state !== 'waiting' || this.#error) return;
    this.#error = error;
    this.#reject(error);
  }

  /** Throws if it was discarded. */
  check(): void {
    if (this.#error) throw this.#error;
  }

  /** Its turn has come; throws if it was discarded. */
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
