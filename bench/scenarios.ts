import {
  ask,
  type LatencyResult,
  latencyAt,
  type Percentiles,
  pause,
  percentiles,
  type Sender,
  saturate,
} from './load.ts';
import { RawClient } from './RawClient.ts';
import { type Account, BENCH_PASSWORD, startTarget, type Target } from './server.ts';

export interface Throughput {
  readonly acknowledged: number;
  readonly delivered: number;
  /** Cores used by the server process and by this load generator. */
  readonly serverCores: number;
  readonly generatorCores: number;
}

const CONTENT = 'How are you doing today? Shall we meet at six?';

/** 50 people in 25 dialogs, each writing to the other with 16 in flight. */
export async function dialogs(
  target: Target,
  people: readonly Account[],
  seconds: number,
): Promise<Throughput> {
  const senders = await dialogSenders(target, people.slice(0, 50));
  const clients = senders.map(({ client }) => client);
  const result = await measured(target, seconds, () => saturate(senders, clients, 16, seconds));
  for (const client of clients) client.close();
  return result;
}

/** One group of 100 connected members, ten of whom write with 16 in flight. */
export async function group(
  target: Target,
  people: readonly Account[],
  seconds: number,
): Promise<Throughput> {
  const members = people.slice(0, 100);
  const clients = await Promise.all(
    members.map(({ token }, index) => RawClient.open(portOf(target, index), token)),
  );
  const [owner] = clients as [RawClient];
  const { groupId } = (await ask(owner, 'newGroup', { groupName: 'hundred' })).params;
  for (const { id } of members.slice(1)) await ask(owner, 'addUserInGroup', { groupId, userId: id });
  await pause(200);

  const senders = clients.slice(0, 10).map((client) => ({
    client,
    frame: (n: number) =>
      `{"type":"messageInGroup","params":{"groupId":${groupId},"content":"${CONTENT}"},"id":${n}}`,
  }));
  const result = await measured(target, seconds, () => saturate(senders, clients, 16, seconds), 99);
  for (const client of clients) client.close();
  return result;
}

/** Dialog messages at a fixed rate, from when each was due. */
export async function latency(
  target: Target,
  people: readonly Account[],
  rate: number,
  seconds: number,
): Promise<LatencyResult> {
  const senders = await dialogSenders(target, people.slice(0, 50));
  const clients = senders.map(({ client }) => client);
  const result = await latencyAt(senders, clients, rate, seconds);
  for (const client of clients) client.close();
  return result;
}

/** Logins that are under way at once in a storm. */
const LOGINS = 20;

/** {@link latency} while logins come without end, and how many were answered. */
export async function storm(
  target: Target,
  people: readonly Account[],
  rate: number,
  seconds: number,
): Promise<LatencyResult & { logins: object }> {
  let isOver = false;
  let logins = 0;
  const body = JSON.stringify({ username: 'bench0', password: BENCH_PASSWORD });
  const storming = Array.from({ length: LOGINS }, async () => {
    while (!isOver) {
      const answer = await fetch(`http://127.0.0.1:${target.port}/auth/login`, { method: 'POST', body });
      if (answer.status !== 200) throw new Error(`a login was answered ${answer.status}`);
      await answer.arrayBuffer();
      logins++;
    }
  });
  const start = performance.now();
  const result = await latency(target, people, rate, seconds);
  const perSecond = (logins * 1000) / (performance.now() - start);
  isOver = true;
  await Promise.all(storming);
  return { ...result, logins: { perSecond } };
}

export interface Reading {
  readonly messages: number;
  readonly list: Percentiles;
  readonly firstPage: Percentiles;
  readonly thousandthPage: Percentiles;
}

/** The chat list, and pages of 100 of a dialog with `messages` messages, one request after another. */
export async function reading(
  target: Target,
  people: readonly Account[],
  messages: number,
): Promise<Reading> {
  const [writer, reader] = people as [Account, Account];
  const client = await RawClient.open(target.port, writer.token);
  const receiverId = reader.id;
  let sent = 0;
  await new Promise<void>((resolve) => {
    let answered = 0;
    const send = () => client.send(dialogFrame(receiverId, ++sent, 'x'));
    client.onFrame = () => {
      if (++answered === messages) resolve();
      else if (sent < messages) send();
    };
    for (let n = 0; n < 800; n++) send();
  });

  const time = async (type: string, params: object, rows: number) => {
    const times: number[] = [];
    for (let n = 0; n < 220; n++) {
      const { ms, params: reply } = await ask(client, type, params);
      if (reply.data?.length !== rows)
        throw new Error(`${type} answered ${reply.data?.length} rows, not ${rows}`);
      if (n >= 20) times.push(ms);
    }
    return percentiles(times);
  };
  const page = (number: number) => ({ receiverId, limit: 100, page: number });
  const result = {
    messages,
    list: await time('listLastMessage', { limit: 1 }, 1),
    firstPage: await time('getlatestMessageDialog', page(1), 100),
    thousandthPage: await time('getlatestMessageDialog', page(messages / 100), 100),
  };
  client.close();
  return result;
}

/** Resident memory of the server per connection that is open and silent, in bytes. */
export async function idleMemory(target: Target, { token }: Account, count: number): Promise<number> {
  await pause(1000);
  const before = target.memory();
  const clients: RawClient[] = [];
  while (clients.length < count)
    clients.push(
      ...(await Promise.all(Array.from({ length: 100 }, () => RawClient.open(target.port, token)))),
    );
  await pause(2000);
  const bytes = (target.memory() - before) / clients.length;
  for (const client of clients) client.close();
  await pause(500);
  return bytes;
}

/** The same dialog load on the bare server of bare.ts: what this machine can do at all. */
export async function bareDialogs(seconds: number): Promise<Throughput> {
  const bare = await startTarget('bench/bare.ts');
  try {
    const people = Array.from({ length: 50 }, (_, index) => ({ id: index + 1, token: String(index + 1) }));
    return await dialogs(bare, people, seconds);
  } finally {
    await bare.stop();
  }
}

async function dialogSenders(target: Target, people: readonly Account[]): Promise<Sender[]> {
  return Promise.all(
    people.map(async ({ token }, index) => {
      const receiverId = (people[index ^ 1] as Account).id;
      const client = await RawClient.open(portOf(target, index), token);
      return { client, frame: (n: number) => dialogFrame(receiverId, n, `${index}:${n} ${CONTENT}`) };
    }),
  );
}

/** Neighbours, who write each other, are on different nodes where there are several. */
const portOf = ({ ports }: Target, index: number): number => ports[index % ports.length] as number;

function dialogFrame(receiverId: number, id: number, content: string): string {
  return `{"type":"privateMessage","params":{"receiverId":${receiverId},"content":"${content}"},"id":${id}}`;
}

async function measured(
  target: Target,
  seconds: number,
  run: () => ReturnType<typeof saturate>,
  pushesPerMessage = 1,
): Promise<Throughput> {
  const [server, generator] = [target.cpu(), process.cpuUsage()];
  const { acknowledged, delivered, totals } = await run();
  const { user, system } = process.cpuUsage(generator);
  const { sent, replies, pushes } = totals;
  if (replies !== sent || pushes !== sent * pushesPerMessage)
    throw new Error(`of ${sent} messages ${replies} were acknowledged, and ${pushes} pushes came`);
  return {
    acknowledged: Math.round(acknowledged),
    delivered: Math.round(delivered),
    serverCores: (target.cpu() - server) / (seconds + 1),
    generatorCores: (user + system) / 1e6 / (seconds + 1),
  };
}
