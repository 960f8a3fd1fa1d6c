import { hashSync } from 'bcryptjs';
import type { Client } from 'pg';
import { BENCH_PASSWORD, tokenOf } from '../accounts.ts';
import { ask, pause } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import { besideChanges } from '../scale/beside.ts';
import { type Case, readingCases, writingCases } from '../scale/cases.ts';
import { CASE } from '../scale/generate.sql.ts';
import { generate } from '../scale/generate.ts';
import { sizeOf } from '../scale/size.ts';
import { watchStatements } from '../scale/statements.ts';
import { percentiles } from '../statistics.ts';
import type { Target } from '../targets.ts';
import type { Figures } from '../usage.ts';

/** Runs of a case, how many of them are warm-ups, and the seconds after which no further runs begin. */
const RUNS = 20;
const WARM_UPS = 2;
const LONGEST = 20;
/** Milliseconds in which a server runs all its background statements. */
const IDLE = 10_000;
/** Pages of a sync. */
const SYNC_PAGES = 100;

type Statements = Awaited<ReturnType<typeof watchStatements>>;
type User = keyof typeof CASE;

export interface ScaleOptions {
  /** Messages of all users. */
  readonly messages: number;
  /** Factor of all data outside of the single cases. */
  readonly others: number;
}

/**
 * Measures every command on the data of a server with `messages` messages; `others` multiplies the data of other users.
 */
export async function scale(
  { port, database: { url, client } }: Target,
  { messages, others }: ScaleOptions,
): Promise<Figures> {
  await generate(url, client, sizeOf(messages, others), hashSync(BENCH_PASSWORD, 4), (done, seconds) =>
    process.stderr.write(`${seconds.toFixed(0)} s: ${done}\n`),
  );
  return everyCommand(port(0), client);
}

/** Runs every case on a filled database with the server at a port. */
async function everyCommand(port: number, db: Client): Promise<Figures> {
  const statements = await watchStatements(db, () => pause(IDLE));
  const clients = new Map<User, RawClient>();
  const clientOf = async (user: User) => {
    const client = clients.get(user) ?? (await RawClient.open(port, tokenOf(CASE[user])));
    clients.set(user, client);
    return client;
  };
  const figures: Record<string, number> = {};
  const record = (name: string, measured: Figures) => {
    for (const [figure, value] of Object.entries(measured)) figures[`${name}: ${figure}`] = value;
    process.stderr.write(`${name}: ${JSON.stringify(measured)}\n`);
  };
  const run = async ({ name, user, type, params }: Case) => {
    const client = await clientOf(user);
    record(name, await timed(statements, async (n) => (await ask(client, type, await params(n))).ms));
  };

  for (const one of await readingCases(db)) await run(one);
  for (const user of ['ordinary', 'manyChats'] as const)
    record(`connect: ${user}`, await timed(statements, () => connect(port, user)));
  record(
    'sync: all of the large group',
    await timed(statements, await syncing(await clientOf('behind')), SYNC_PAGES),
  );
  const nothing = await syncCursor(await clientOf('manyChats'));
  const many = await clientOf('manyChats');
  record(
    'sync: nothing new, many chats',
    await timed(statements, async () => (await ask(many, 'sync', { cursor: nothing })).ms),
  );
  const before = await syncCursor(await clientOf('behind'));
  await db.query(change, [CASE.behind]);
  record(
    'sync: 30,000 changes of the large group',
    await timed(statements, await syncing(await clientOf('behind'), before), 30),
  );
  for (const one of await writingCases(db)) await run(one);
  record(
    'search: what was written just now',
    await timed(statements, await foundAfter(await clientOf('ordinary'))),
  );
  for (const client of clients.values()) client.close();
  for (const [name, measured] of await besideChanges(port, db))
    record(`write in a dialog while ${name}`, measured);
  return figures;
}

/** Runs a case repeatedly; returns the latency and the work of PostgreSQL per run. */
async function timed(
  statements: Statements,
  run: (n: number) => Promise<number | undefined>,
  runs = RUNS,
): Promise<Figures> {
  const times: number[] = [];
  const start = performance.now();
  for (let n = 0; n < runs; n++) {
    if (n === WARM_UPS) await statements.begin();
    const ms = await run(n).catch((error: Error) => {
      process.stderr.write(`${error.message}\n`);
      return undefined;
    });
    if (ms === undefined) break;
    if (n >= WARM_UPS) times.push(ms);
    if (performance.now() - start > LONGEST * 1_000) break;
  }
  const { time, statements: count, buffers } = await statements.read();
  const { p50, max } = percentiles(times);
  const per = (value: number) => value / times.length;
  return { ms: p50, 'max ms': max, 'SQL ms': per(time), statements: per(count), buffers: per(buffers) };
}

async function connect(port: number, user: User): Promise<number> {
  const start = performance.now();
  const client = await RawClient.open(port, tokenOf(CASE[user]));
  const ms = performance.now() - start;
  client.close();
  return ms;
}

/** Measures the milliseconds from the reply to a message until a search finds it. */
async function foundAfter(client: RawClient) {
  const receiverId = 21;
  return async (n: number) => {
    const query = `findable${n}`;
    await ask(client, 'privateMessage', { receiverId, content: query });
    const start = performance.now();
    while ((await ask(client, 'searchMessages', { receiverId, query })).params.data?.length === 0)
      if (performance.now() - start > 10_000) throw new Error('the search index is still behind');
    return performance.now() - start;
  };
}

async function syncCursor(client: RawClient): Promise<string> {
  return (await ask(client, 'sync', { fromNow: true })).params.nextCursor as string;
}

/** Reads the next page with each run while there are more. */
async function syncing(client: RawClient, from?: string) {
  let cursor = from;
  let more = true;
  return async () => {
    if (!more) return undefined;
    const { ms, params } = await ask(client, 'sync', { limit: 1_000, ...(cursor && { cursor }) });
    cursor = params.nextCursor;
    more = params.more ?? false;
    return ms;
  };
}

/** Changes 30,000 old messages in all chats of $1. */
const change = `
update messages set content = 'changed', edited_at = now(), version = coalesce(version, 0) + 1, changed_xid = pg_current_xact_id()
from chats
where messages.chat_id = chats.id and chats.id in (select chat_id from chat_members where user_id = $1)
  and seq between chats.last_seq / 4 and chats.last_seq / 4 + 29999 and deleted_at is null
`;
