import { pause } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import type { Memory } from '../server.ts';
import { slope } from '../statistics.ts';
import type { Target } from '../targets.ts';
import { costPer, type Figures } from '../usage.ts';

const CONNECTS = 1_000;
const CONNECTS_AT_ONCE = 50;
/** Idle connections opened between two readings of the memory. */
const STEP = 1_000;
/** Accounts that {@link idle} needs. */
export const IDLE_PEOPLE = 8 * STEP;
/** Milliseconds until open connections are recorded. */
const SETTLING = 1_000;
/** Milliseconds for the background work after a connect. */
const AFTERMATH = 500;

/** Measures 1,000 users who connect, each with a separate token, 50 at a time. */
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
 * Measures the memory of open, silent connections, each of a different user: its growth with each thousand after
 * garbage collection. `heap KiB` is used by JavaScript, `native KiB` by the socket library, `KiB` is the sum. There is
 * no load before, because it would leave free memory that connections would use.
 */
export async function idle(target: Target): Promise<Figures> {
  const [node] = target.nodes;
  if (!node) throw new Error('the target has no node');
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
  const grown = samples.slice(1); // the first thousand also creates pools and tables and compiles code
  const perConnection = (values: readonly number[]) => slope(values) / STEP / 1024;
  const heap = perConnection(grown.map((memory) => memory.heap));
  const native = perConnection(grown.map((memory) => memory.native));
  const resident = perConnection(grown.map((memory) => memory.resident));
  return { KiB: heap + native, 'heap KiB': heap, 'native KiB': native, 'resident KiB': resident };
}
