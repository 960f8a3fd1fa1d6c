import { kindOf } from './frames.ts';
import type { RawClient } from './RawClient.ts';
import type { Usage } from './usage.ts';

/** A sender: a connection, and the command that it repeats with a new content and id. */
export interface Sender {
  readonly client: RawClient;
  /** Builds the frame of the n-th request; its id is n. */
  frame(n: number): string;
}

export interface Load {
  readonly senders: readonly Sender[];
  /** All clients whose frames count. */
  readonly listeners: readonly RawClient[];
  /** Requests of each sender that are unanswered at any time. */
  readonly inFlight: number;
  readonly seconds: number;
  /** Called at the beginning and the end of the measurement. */
  usage(): Promise<Usage>;
}

export interface LoadResult {
  readonly seconds: number;
  /** Replies and pushes during the measurement. */
  readonly replies: number;
  readonly pushes: number;
  readonly usage: { readonly from: Usage; readonly to: Usage };
  /** Requests, replies and pushes of the whole run including the warm-up, which must be consistent. */
  readonly totals: { readonly sent: number; readonly replies: number; readonly pushes: number };
}

/** Milliseconds before the measurement begins. */
const WARM_UP = 1000;

/** Runs a closed loop for `seconds` after a warm-up. Throws at the first error reply. */
export async function saturate({ senders, listeners, inFlight, seconds, usage }: Load): Promise<LoadResult> {
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
  for (const client of listeners) {
    const send = next.get(client);
    client.onFrame = (buffer, start, end) => {
      const kind = kindOf(buffer, start, end);
      if (kind === 'push') pushes++;
      else if (kind === 'error') failure ??= buffer.toString('utf8', start, end);
      else {
        replies++;
        if (running) send?.();
      }
    };
  }

  const read = async () => ({ usage: await usage(), replies, pushes, at: performance.now() });
  for (const { client } of senders) for (let n = 0; n < inFlight; n++) next.get(client)?.();
  await pause(WARM_UP);
  const from = await read();
  await pause(seconds * 1000);
  const to = await read();

  running = false;
  for (let waited = 0; replies < sent && waited < 100 && !failure; waited++) await pause(50);
  await pause(200); // the last pushes
  if (failure) throw new Error(`the server refused: ${failure}`);
  return {
    seconds: (to.at - from.at) / 1000,
    replies: to.replies - from.replies,
    pushes: to.pushes - from.pushes,
    usage: { from: from.usage, to: to.usage },
    totals: { sent, replies, pushes },
  };
}

/** Sends one request and resolves to the milliseconds until its reply, with the reply parsed. */
export function ask(client: RawClient, type: string, params: object): Promise<{ ms: number; params: Reply }> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    client.onFrame = (buffer, from, to) => {
      if (kindOf(buffer, from, to) === 'push') return;
      const ms = performance.now() - start;
      const reply = JSON.parse(buffer.toString('utf8', from, to));
      if (reply.error) reject(new Error(`${type} was refused: ${reply.message}`));
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
