import { schedule as processTimers, type Schedule } from '../bus/schedule.ts';
import type { UserId } from '../ids.ts';

/** Milliseconds without a connection after which a user is offline; a faster reconnect goes unnoticed. */
export const GRACE = 5_000;

/** Counts the connections of each user to this node, and determines when a user comes and goes. */
export class OnlineUsers {
  readonly #onLeft: (userId: UserId) => void;
  readonly #schedule: Schedule;
  /** Number of open connections, of users who have any. */
  readonly #open = new Map<UserId, number>();
  /** Users whose last connection closed within the grace period, each with the function that stops the departure. */
  readonly #leaving = new Map<UserId, () => void>();

  /** `onLeft` is called when the grace period has passed after the last connection of a user was closed. */
  constructor(onLeft: (userId: UserId) => void, schedule: Schedule = processTimers) {
    this.#onLeft = onLeft;
    this.#schedule = schedule;
  }

  /** Counts a connection that was opened. Returns true if its user was neither here nor within the grace period. */
  opened(userId: UserId): boolean {
    const open = (this.#open.get(userId) ?? 0) + 1;
    this.#open.set(userId, open);
    const stopLeaving = this.#leaving.get(userId);
    stopLeaving?.();
    this.#leaving.delete(userId);
    return open === 1 && stopLeaving === undefined;
  }

  /** Counts a connection that was closed; after the last one of a user, the grace period begins. */
  closed(userId: UserId): void {
    const open = (this.#open.get(userId) ?? 1) - 1;
    if (open > 0) {
      this.#open.set(userId, open);
      return;
    }
    this.#open.delete(userId);
    const leave = () => {
      this.#leaving.delete(userId);
      this.#onLeft(userId);
    };
    this.#leaving.set(userId, this.#schedule(leave, GRACE));
  }

  /** Stops all departures. */
  close(): void {
    for (const stopLeaving of this.#leaving.values()) stopLeaving();
    this.#leaving.clear();
  }
}
