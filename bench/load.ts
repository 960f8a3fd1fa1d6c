import type { RawClient } from './RawClient.ts';

/** Somebody who sends: a connection, and the command it repeats but for content and id. */
export interface Sender {
  readonly client: RawClient;
  /** Builds the frame of the n-th request; its id is n. */
  frame(n: number): string;
}

export interface LoadResult {
  /** Replies per second while measured. */
  readonly acknowledged: number;
  /** Pushes per second while measured. */
  readonly delivered: number;
  /** Requests sent, replies and pushes over the whole run, warm-up included: what must add up. */
  readonly totals: { readonly sent: number; readonly replies: number; readonly pushes: number };
}

/**
 * Closed loop: each sender keeps `inFlight` requests unanswered, for `seconds` after one of warm-up. `listeners`
 * are all clients whose frames count. Throws at the first error reply.
 */
export async function saturate(
  senders: readonly Sender[],
  listeners: readonly RawClient[],
  inFlight: number,
  seconds: number,
): Promise<LoadResult> {
  let sent = 0;
  let replies = 0;
  let pushes = 0;
  let running = true;
  let failure: string | undefined;
  const next = new Map<RawClient, () => void>();

  for (const { client, frame } of senders) {
    let n = 0;
    next.set(client, () => {
      sent++;
      client.send(frame(++n));
    });
  }
  for (const client of listeners)
    client.onFrame = (buffer, start, end) => {
      const kind = kindOf(buffer, start, end);
      if (kind === 'push') pushes++;
      else if (kind === 'error') failure ??= buffer.toString('utf8', start, end);
      else {
        replies++;
        if (running) next.get(client)?.();
      }
    };

  for (const { client } of senders) for (let n = 0; n < inFlight; n++) next.get(client)?.();
  await pause(1000);
  const [fromReplies, fromPushes, start] = [replies, pushes, performance.now()];
  await pause(seconds * 1000);
  const elapsed = (performance.now() - start) / 1000;
  const [inReplies, inPushes] = [replies - fromReplies, pushes - fromPushes];

  running = false;
  for (let waited = 0; replies < sent && waited < 100; waited++) await pause(50);
  await pause(200); // the last pushes
  if (failure) throw new Error(`the server refused: ${failure}`);
  return {
    acknowledged: inReplies / elapsed,
    delivered: inPushes / elapsed,
    totals: { sent, replies, pushes },
  };
}

export interface LatencyResult {
  /** Milliseconds from the moment a message was due to its reply, and to its push. */
  readonly reply: Percentiles;
  readonly push: Percentiles;
}

/**
 * Open loop: `rate` messages per second for `seconds` after one of warm-up, each due at its own time; latency
 * counts from then, so that a server that stalls is not spared the requests it delayed.
 */
export async function latencyAt(
  senders: readonly Sender[],
  listeners: readonly RawClient[],
  rate: number,
  seconds: number,
): Promise<LatencyResult> {
  const due: number[][] = senders.map(() => []);
  const toReply: number[] = [];
  const toPush: number[] = [];
  const indexOf = new Map(senders.map(({ client }, index) => [client, index]));
  for (const client of listeners) {
    const own = due[indexOf.get(client) ?? -1] ?? [];
    client.onFrame = (buffer, start, end) => {
      const now = performance.now();
      if (kindOf(buffer, start, end) === 'reply') {
        const at = own[numberBefore(buffer, end - 1)];
        if (at !== undefined) toReply.push(now - at);
        return;
      }
      // The content of a message begins with its sender's index and its number.
      const [index, at] = numberAt(buffer, buffer.indexOf(MESSAGE, start) + MESSAGE.length);
      const [n] = numberAt(buffer, at + 1);
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
      `of ${measured} messages ${toReply.length} were acknowledged, and ${toPush.length} pushes came`,
    );
  return { reply: percentiles(toReply), push: percentiles(toPush) };
}

const MESSAGE = Buffer.from('"message":"');
const ZERO = 0x30;
const NINE = 0x39;

/** The decimal number that begins at a place, and the place behind it. */
function numberAt(buffer: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  let end = at;
  for (let byte = buffer[end] ?? 0; byte >= ZERO && byte <= NINE; byte = buffer[++end] ?? 0)
    value = value * 10 + byte - ZERO;
  return [value, end];
}

/** The decimal number that ends at a place. */
function numberBefore(buffer: Buffer, end: number): number {
  let at = end;
  while ((buffer[at - 1] ?? 0) >= ZERO && (buffer[at - 1] ?? 0) <= NINE) at--;
  return numberAt(buffer, at)[0];
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function percentiles(values: number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Sends one request and resolves to the milliseconds until its reply, with the reply parsed. */
export function ask(client: RawClient, type: string, params: object): Promise<{ ms: number; params: Reply }> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    client.onFrame = (buffer, from, to) => {
      if (kindOf(buffer, from, to) === 'push') return;
      const ms = performance.now() - start;
      const reply = JSON.parse(buffer.toString('utf8', from, to));
      if (reply.error) reject(new Error(reply.message));
      else resolve({ ms, params: reply.params });
    };
    client.send(JSON.stringify({ type, params, id: 1 }));
  });
}

export interface Reply {
  readonly data: readonly unknown[] | null;
  readonly groupId?: number;
  readonly nextCursor?: string;
  readonly more?: boolean;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A reply ends with its id, an error begins with its flag; what is left is a push. */
function kindOf(buffer: Buffer, start: number, end: number): 'reply' | 'push' | 'error' {
  if (buffer[start + 2] === 0x65) return 'error'; // {"e…
  return buffer[end - 2] === 0x7d ? 'push' : 'reply'; // …}} of params and frame, or …,"id":7}
}
