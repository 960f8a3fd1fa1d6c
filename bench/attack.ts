import { RawClient } from './RawClient.ts';

/*
 * Generates load in a separate process, so that receiving does not delay the measurement: sends one request after
 * another on each connection until it is stopped, then reports the numbers of answered and refused ones.
 */

export interface Attack {
  readonly port: number;
  /** The token of each connection, and the requests that it repeats in turn. */
  readonly connections: readonly { readonly token: string; readonly requests: readonly object[] }[];
}

/** Milliseconds after a refusal. */
const PAUSE = 200;
const ERROR = 0x65; // {"e…

if (process.send) process.once('message', (attack: Attack) => void run(attack));

async function run({ port, connections }: Attack): Promise<void> {
  let [answered, refused] = [0, 0];
  let running = true;
  await Promise.all(
    connections.map(async ({ token, requests }) => {
      const client = await RawClient.open(port, token);
      const frames = requests.map((request) => JSON.stringify(request));
      let n = 0;
      const next = () => running && client.send(frames[n++ % frames.length] as string);
      client.onFrame = (buffer, start, end) => {
        if (!buffer.includes('"id":1}', Math.max(start, end - 8))) return; // a push
        if (buffer[start + 2] !== ERROR) {
          answered++;
          next();
        } else {
          refused++;
          setTimeout(next, PAUSE);
        }
      };
      next();
    }),
  );
  process.send?.('started');
  process.once('message', () => {
    running = false;
    process.send?.({ answered, refused });
    process.disconnect();
    process.exit();
  });
}
