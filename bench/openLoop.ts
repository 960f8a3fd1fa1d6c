import { idOf, kindOf, originOf } from './frames.ts';
import { pause, type Sender } from './load.ts';
import type { RawClient } from './RawClient.ts';
import { type Percentiles, percentiles } from './statistics.ts';

export interface Latency {
  /** Milliseconds from the moment a message was due to its reply, and to its push. */
  readonly reply: Percentiles;
  readonly push: Percentiles;
}

/**
 * Runs an open loop: `rate` messages per second for `seconds` after a warm-up of one second, each due at a fixed time.
 * Latency counts from that time, so that delays caused by a stalled server are included (no coordinated omission).
 */
export async function latencyAt(
  senders: readonly Sender[],
  listeners: readonly RawClient[],
  rate: number,
  seconds: number,
): Promise<Latency> {
  const due: number[][] = senders.map(() => []);
  const toReply: number[] = [];
  const toPush: number[] = [];
  const indexOf = new Map(senders.map(({ client }, index) => [client, index]));
  for (const client of listeners) {
    const own = due[indexOf.get(client) ?? -1] ?? [];
    client.onFrame = (buffer, start, end) => {
      const now = performance.now();
      if (kindOf(buffer, start, end) === 'reply') {
        const at = own[idOf(buffer, end)];
        if (at !== undefined) toReply.push(now - at);
        return;
      }
      const [index, n] = originOf(buffer, start);
      const dueAt = due[index]?.[n];
      if (dueAt !== undefined) toPush.push(now - dueAt);
    };
  }

  const start = performance.now();
  const [warmUp, count] = [Math.floor(rate), Math.floor(rate * (seconds + 1))];
  for (let sent = 0; sent < count; ) {
    const elapsed = (performance.now() - start) / 1000;
    for (; sent < count && sent / rate <= elapsed; sent++) {
      const index = sent % senders.length;
      const id = Math.floor(sent / senders.length) + 1;
      if (sent >= warmUp) (due[index] as number[])[id] = start + (sent / rate) * 1000;
      const { client, frame } = senders[index] as Sender;
      client.send(frame(id));
    }
    await pause(1);
  }
  await pause(500);
  const measured = count - warmUp;
  if (toReply.length !== measured || toPush.length !== measured)
    throw new Error(
      `of ${measured} messages ${toReply.length} were acknowledged, and ${toPush.length} pushes arrived`,
    );
  return { reply: percentiles(toReply), push: percentiles(toPush) };
}
