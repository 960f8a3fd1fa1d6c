import { ask, type Reply } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import { percentiles, prefixed } from '../statistics.ts';
import type { Target } from '../targets.ts';
import { costPer, type Figures } from '../usage.ts';
import { dialogFrame } from './writing.ts';

const HISTORY = 2_000;
const PAGE = 20;
const PAGES_READ = 1_000;
const WARM_UP = 200;
const LONG_HISTORY = 100_000;

/**
 * Measures pages of 20 at random positions in a dialog of 2,000 messages, one request after another: time and cost per
 * page.
 */
export async function historyPage(target: Target): Promise<Figures> {
  const { client, receiverId } = await dialogOf(target, HISTORY);
  const read = async (n: number) => {
    const params = { receiverId, limit: PAGE, page: 1 + ((n * 37) % (HISTORY / PAGE)) };
    return (await rowsOf(client, 'getlatestMessageDialog', params, PAGE)).ms;
  };
  for (let n = 0; n < WARM_UP; n++) await read(n);
  const from = await target.usage();
  const times: number[] = [];
  for (let n = 0; n < PAGES_READ; n++) times.push(await read(n));
  const to = await target.usage();
  client.close();
  return { ...percentiles(times), ...costPer(PAGES_READ, from, to) };
}

/** Measures the chat list, and pages of 100 of a dialog with 100,000 messages, one request after another. */
export async function reading(target: Target): Promise<Figures> {
  const { client, receiverId } = await dialogOf(target, LONG_HISTORY);
  const time = async (name: string, type: string, params: object, rows: number) => {
    const times: number[] = [];
    for (let n = 0; n < 220; n++) {
      const { ms } = await rowsOf(client, type, params, rows);
      if (n >= 20) times.push(ms);
    }
    return prefixed(name, percentiles(times));
  };
  const page = (number: number) => ({ receiverId, limit: 100, page: number });
  const result = {
    ...(await time('chat list', 'listLastMessage', { limit: 1 }, 1)),
    ...(await time('first page', 'getlatestMessageDialog', page(1), 100)),
    ...(await time('thousandth page', 'getlatestMessageDialog', page(LONG_HISTORY / 100), 100)),
  };
  client.close();
  return result;
}

/** The index of the next pair of users without a dialog, by target, because each round needs a new dialog. */
const nextPair = new WeakMap<Target, number>();

/** Creates a dialog with a number of messages; resolves to it and the connection of the writer. */
async function dialogOf(
  target: Target,
  messages: number,
): Promise<{ client: RawClient; receiverId: number }> {
  const first = nextPair.get(target) ?? 500;
  nextPair.set(target, first + 2);
  const [writer, reader] = target.people.slice(first);
  if (!writer || !reader) throw new Error('too few accounts');
  const client = await RawClient.open(target.port(0), writer.token);
  let sent = 0;
  await new Promise<void>((resolve) => {
    let answered = 0;
    const send = () => client.send(dialogFrame(reader.id, ++sent, 'How are you doing today?'));
    client.onFrame = () => {
      if (++answered === messages) resolve();
      else if (sent < messages) send();
    };
    for (let n = 0; n < Math.min(800, messages); n++) send();
  });
  return { client, receiverId: reader.id };
}

/** Sends a request and checks the number of rows in the reply. */
export async function rowsOf(
  client: RawClient,
  type: string,
  params: object,
  rows: number,
): Promise<{ ms: number; params: Reply }> {
  const reply = await ask(client, type, params);
  const found = reply.params.data?.length;
  if (found !== rows) throw new Error(`${type} returned ${found} rows, expected ${rows}`);
  return reply;
}
