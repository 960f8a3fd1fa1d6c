import { pause } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import type { Target } from '../targets.ts';
import { costPer, type Figures } from '../usage.ts';
import { writeInPairs } from './writing.ts';

const CONNECTS = 1_000;
const CONNECTS_AT_ONCE = 50;
const IDLE = 5_000;
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

/** Resident memory per connection that is open and silent, of a fresh server that has had something to do before. */
export async function idle(target: Target): Promise<Figures> {
  const [node] = target.nodes;
  const [person] = target.people;
  if (!node || !person) throw new Error('there is no node');
  await writeInPairs(target, 50, 16); // code is compiled and the heap has grown then
  await pause(1000);
  const before = node.memory();
  const clients: RawClient[] = [];
  while (clients.length < IDLE)
    clients.push(
      ...(await Promise.all(Array.from({ length: 100 }, () => RawClient.open(node.port, person.token)))),
    );
  await pause(2000);
  const bytes = (node.memory() - before) / clients.length;
  for (const client of clients) client.close();
  return { KiB: bytes / 1024 };
}
