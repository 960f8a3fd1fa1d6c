import { RawClient } from '../RawClient.ts';
import type { BenchServer } from '../server.ts';
import type { Target } from '../targets.ts';
import type { Figures } from '../usage.ts';

/** Clients that lose their node at once. */
const CLIENTS = 10_000;

/**
 * Measures clients of one of two nodes, which is killed: each connects to the other node as soon as its connection
 * breaks.
 */
export async function failover({ nodes, people }: Target): Promise<Figures> {
  const [doomed, refuge] = nodes as [BenchServer, BenchServer];
  const clients: RawClient[] = [];
  const arrived: RawClient[] = [];
  let killedAt = 0;
  const times: number[] = [];
  const tokenOf = (index: number) => people[index % 100]?.token as string;
  while (clients.length < CLIENTS)
    clients.push(
      ...(await Promise.all(
        Array.from({ length: 100 }, (_, n) => RawClient.open(doomed.port, tokenOf(clients.length + n))),
      )),
    );
  const all = Promise.all(
    clients.map(
      (client, index) =>
        new Promise<void>((resolve, reject) => {
          client.onClose = () =>
            RawClient.open(refuge.port, tokenOf(index)).then((again) => {
              arrived.push(again);
              times.push(performance.now() - killedAt);
              resolve();
            }, reject);
        }),
    ),
  );
  killedAt = performance.now();
  await doomed.stop('SIGKILL');
  await all;
  const [half = 0, last = 0] = [times[Math.floor(times.length / 2)], times.at(-1)];
  for (const client of arrived) client.close();
  return { 'half back, s': half / 1000, 'all back, s': last / 1000 };
}
