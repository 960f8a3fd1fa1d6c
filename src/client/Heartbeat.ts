/**
 * Counts the intervals in which the other end of a connection is silent. It has no timer: its owner calls {@link tick} at equal
 * intervals.
 *
 *   heartbeat.tick();     // 1: nothing was received in this interval, so it is time to send a ping
 *   heartbeat.received(); // the answer, or anything else
 *   heartbeat.tick();     // 0
 *   heartbeat.tick();     // 1
 *   heartbeat.tick();     // 2: the ping was not answered either, so the connection is dead
 */
export class Heartbeat {
  #silent = 1;

  /** Ends the silence: a frame was received. */
  received(): void {
    this.#silent = 0;
  }

  /** Ends an interval. Returns the number of intervals, up to this one, in which nothing was received. */
  tick(): number {
    return this.#silent++;
  }
}
