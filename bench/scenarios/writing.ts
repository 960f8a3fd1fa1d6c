import { ask, type Load, pause, type Sender, saturate } from '../load.ts';
import { latencyAt } from '../openLoop.ts';
import { RawClient } from '../RawClient.ts';
import { prefixed } from '../statistics.ts';
import type { Target } from '../targets.ts';
import { costPer, type Figures } from '../usage.ts';

const CONTENT = 'How are you doing today? Shall we meet at six?';
/** Seconds of the measurement. */
const SECONDS = 2.5;
const LATENCY_SECONDS = 4;

/** Measures people in dialogs, each with `inFlight` requests in flight; of two people, only one writes. */
export async function writeInPairs(
  target: Target,
  people: number,
  inFlight: number,
  seconds = SECONDS,
): Promise<Figures> {
  const writers = await pairs(target, people);
  const listeners = writers.map(({ client }) => client);
  const senders = people === 2 ? writers.slice(0, 1) : writers;
  return await throughput(target, { senders, listeners, inFlight, seconds }, 1);
}

/** Measures one group of 100 connected members, ten of whom write with 16 requests in flight. */
export async function writeInGroup(target: Target): Promise<Figures> {
  const members = target.people.slice(0, 100);
  const listeners = await Promise.all(
    members.map(({ token }, index) => RawClient.open(target.port(index), token)),
  );
  const [owner] = listeners as [RawClient];
  const { groupId } = (await ask(owner, 'newGroup', { groupName: 'hundred' })).params;
  for (const { id } of members.slice(1)) await ask(owner, 'addUserInGroup', { groupId, userId: id });
  await pause(200);
  const senders = listeners.slice(0, 10).map((client) => ({
    client,
    frame: (n: number) =>
      `{"type":"messageInGroup","params":{"groupId":${groupId},"content":"${CONTENT}"},"id":${n}}`,
  }));
  return await throughput(target, { senders, listeners, inFlight: 16, seconds: SECONDS }, 99);
}

/**
 * Measures fifty people in dialogs who write at a fixed total rate; latency counts from the time when each message was
 * due.
 */
export async function writeAtRate(target: Target, rate: number, seconds = LATENCY_SECONDS): Promise<Figures> {
  const senders = await pairs(target, 50);
  const listeners = senders.map(({ client }) => client);
  const from = await target.usage();
  const { reply, push } = await latencyAt(senders, listeners, rate, seconds).finally(() => close(listeners));
  const to = await target.usage();
  return {
    ...prefixed('reply', reply),
    ...prefixed('push', push),
    ...costPer(rate * (seconds + 1), from, to),
  };
}

/** Measures messages and pushes per second and the costs per message; throws if a reply or a push is missing. */
async function throughput(
  target: Target,
  load: Omit<Load, 'usage'>,
  pushesPerMessage: number,
): Promise<Figures> {
  const generator = process.cpuUsage();
  const result = await saturate({ ...load, usage: () => target.usage() }).finally(() =>
    close(load.listeners),
  );
  const { user, system } = process.cpuUsage(generator);
  const { sent, replies, pushes } = result.totals;
  if (replies !== sent || pushes !== sent * pushesPerMessage)
    throw new Error(`of ${sent} messages ${replies} were acknowledged, and ${pushes} pushes arrived`);
  return {
    'acknowledged/s': result.replies / result.seconds,
    'delivered/s': result.pushes / result.seconds,
    ...costPer(result.replies, result.usage.from, result.usage.to),
    'generator µs': (user + system) / sent,
  };
}

/** Connects people, each of whom writes to their neighbour. */
async function pairs(target: Target, count: number): Promise<Sender[]> {
  const people = target.people.slice(0, count);
  return Promise.all(
    people.map(async ({ token }, index) => {
      const receiverId = people[index ^ 1]?.id as number;
      const client = await RawClient.open(target.port(index), token);
      return { client, frame: (n: number) => dialogFrame(receiverId, n, `${index}:${n} ${CONTENT}`) };
    }),
  );
}

function close(clients: readonly RawClient[]): void {
  for (const client of clients) client.close();
}

/** Returns the frame of a message to a user, which ends with its id. */
export function dialogFrame(receiverId: number, id: number, content: string): string {
  return `{"type":"privateMessage","params":{"receiverId":${receiverId},"content":"${content}"},"id":${id}}`;
}
