import { pause } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import type { Memory } from '../server.ts';
import { slope } from '../statistics.ts';
import type { Target } from '../targets.ts';
import { costPer, type Figures } from '../usage.ts';

const CONNECTS = 1_000;
const CONNECTS_AT_ONCE = 50;
/** Idle connections are opened by the thousand, and memory is read after each. */
const STEP = 1_000;
/** Accounts that {@link idle} needs. */
export const IDLE_PEOPLE = 8 * STEP;
/** Milliseconds until what was opened is recorded. */
const SETTLING = 1_000;
/** Milliseconds for what follows a connect in the background. */
const AFTERMATH = 500;

/** As many people connect, each with a token of their own, 50 at a time. */
export async function connects(target: Target): Promise<Figures> {
  const clients: RawClient[] = [];
  const tokens = target.people.slice(0, CONNECTS).map(({ token }) => token);
  const from = await target.usage();
  const start = performance.now();
  const left = tokens.values();
  await Promise.all(
    Array.from({ length: CONNECTS_AT_ONCE }, async () => {
      for (const token of left) clients.push(await RawClient.open(target.port(clients.length), token));
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  await pause(AFTERMATH);
  const to = await target.usage();
  for (const client of clients) client.close();
  await pause(AFTERMATH);
  return { 'connects/s': clients.length / seconds, ...costPer(clients.length, from, to) };
}

/**
 * What a connection keeps that is open and silent, each of another user: how memory grows with each thousand, garbage
 * collected. `heap KiB` is kept by JavaScript, `native KiB` by the socket library, `KiB` by both. There is no load before,
 * which would leave free memory behind that connections are made of.
 */
export async function idle(target: Target): Promise<Figures> {
  const [node] = target.nodes;
  if (!node) throw new Error('there is no node');
  const clients: RawClient[] = [];
  const samples: Memory[] = [];
  for (let from = 0; from < IDLE_PEOPLE; from += STEP) {
    const left = target.people.slice(from, from + STEP).values();
    await Promise.all(
      Array.from({ length: CONNECTS_AT_ONCE }, async () => {
        for (const { token } of left) clients.push(await RawClient.open(node.port, token));
      }),
    );
    await pause(SETTLING);
    samples.push(await node.memory());
  }
  for (const client of clients) client.close();
  const grown = samples.slice(1); // pools and tables were made, and code compiled, with the first
  const perConnection = (values: readonly number[]) => slope(values) / STEP / 1024;
  const heap = perConnection(grown.map((memory) => memory.heap));
  const native = perConnection(grown.map((memory) => memory.native));
  const resident = perConnection(grown.map((memory) => memory.resident));
  return { KiB: heap + native, 'heap KiB': heap, 'native KiB': native, 'resident KiB': resident };
}
