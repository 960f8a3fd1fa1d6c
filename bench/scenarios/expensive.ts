import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { FOLD_VERSION } from '../../src/text/fold.ts';
import type { Account } from '../accounts.ts';
import type { Attack } from '../attack.ts';
import { atEnd } from '../cleanup.ts';
import { ask, pause } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import { type Percentiles, percentiles, prefixed } from '../statistics.ts';
import type { Target } from '../targets.ts';
import type { Figures } from '../usage.ts';

/** Users who send as much as the limits allow, and connections of each. */
const ATTACKERS = 10;
const CONNECTIONS = 4;
/** Messages of their group, how many of the last ones have the maximum length, and former members. */
const MESSAGES = 500_000;
const LONG_MESSAGES = 300;
const FORMER = 100_000;
const SECONDS = 10;

/**
 * Measures users who ping, write, create groups, read and search while ten others send the most expensive commands on
 * forty connections, and while one user searches on as many.
 */
export async function expensive(target: Target): Promise<Figures> {
  const port = target.port(0);
  const [ada, bob, ...attackers] = target.people.slice(0, ATTACKERS + 2) as [Account, Account, ...Account[]];
  const owner = await RawClient.open(port, (attackers[0] as Account).token);
  const userIds = attackers.slice(1).map(({ id }) => id);
  const { groupId } = (await ask(owner, 'newGroup', { groupName: 'everything', userIds })).params;
  const cursors = await Promise.all(
    attackers.map(async ({ token }) => {
      const client = await RawClient.open(port, token);
      const { nextCursor } = (await ask(client, 'sync', { fromNow: true })).params;
      client.close();
      return nextCursor;
    }),
  );
  owner.close();
  await generate(target.database.client, groupId as number);

  const id = 1;
  const content = '\\"'.repeat(2000);
  const kinds = {
    nothing: () => [],
    searches: () => [
      { type: 'searchMessages', params: { query: 'ebrafoa', limit: 100 }, id },
      { type: 'searchMessages', params: { query: 'common', limit: 100, order: 'relevance' }, id },
    ],
    syncs: (cursor: string | undefined) => [
      { type: 'sync', params: { limit: 1000 }, id },
      { type: 'sync', params: { cursor, limit: 1 }, id },
    ],
    pages: () => [
      { type: 'getMessages', params: { groupId, limit: 100 }, id },
      { type: 'listUsers', params: { limit: 100 }, id },
      { type: 'searchUsers', params: { query: 'b', limit: 100 }, id },
      { type: 'listLastMessage', params: { limit: 100 }, id },
    ],
    sends: () => [
      { type: 'messageInGroup', params: { groupId, content }, id },
      { type: 'messageInGroup', params: { groupId, content: '@a '.repeat(1333) }, id },
    ],
  };
  const of = (people: readonly Account[], each: number, requests: (cursor: string | undefined) => object[]) =>
    people.flatMap(({ token }, index) =>
      Array.from({ length: each }, () => ({ token, requests: requests(cursors[index]) })),
    );
  const attacks: Record<string, Attack['connections']> = {};
  for (const [name, requests] of Object.entries(kinds))
    attacks[name] = name === 'nothing' ? [] : of(attackers, CONNECTIONS, requests);
  attacks['searches of one'] = of(attackers.slice(0, 1), ATTACKERS * CONNECTIONS, kinds.searches);

  const results: Record<string, number> = {};
  for (const [name, connections] of Object.entries(attacks)) {
    Object.assign(results, prefixed(`${name}:`, await beside({ port, connections }, ada, bob)));
    await pause(1000);
  }
  return results;
}

/** Measures the commands of other users during an attack. */
async function beside(attack: Attack, ada: Account, bob: Account): Promise<Figures> {
  const { port } = attack;
  const child = fork(fileURLToPath(new URL('../attack.ts', import.meta.url)));
  const kill = atEnd(() => child.kill());
  child.send(attack);
  await once(child, 'message');
  const [pings, writes, groups, pages, searches] = await Promise.all(
    [ada, ada, ada, bob, bob].map(({ token }) => RawClient.open(port, token)),
  );
  await longestTurn(port); // resets the maximum

  const until = performance.now() + SECONDS * 1000;
  const repeat = async (interval: number, time: () => Promise<number>): Promise<Percentiles> => {
    const times: number[] = [];
    while (performance.now() < until) {
      times.push(await time());
      await pause(interval);
    }
    return percentiles(times);
  };
  let refusals = 0;
  const timed = (client: RawClient | undefined, type: string, params: object) => async () => {
    const start = performance.now();
    await ask(client as RawClient, type, params).catch(() => refusals++);
    return performance.now() - start;
  };
  const [ping, privateMessage, newGroup, page, search, ready] = await Promise.all([
    repeat(10, timed(pings, 'ping', {})),
    repeat(50, timed(writes, 'privateMessage', { receiverId: bob.id, content: 'hi' })),
    repeat(250, timed(groups, 'newGroup', { groupName: 'Climbers' })),
    repeat(50, timed(pages, 'getMessages', { receiverId: ada.id })),
    repeat(250, timed(searches, 'searchMessages', { query: 'hi' })),
    repeat(250, async () => {
      const start = performance.now();
      const { status } = await fetch(`http://127.0.0.1:${port}/health/ready`);
      if (status !== 200) process.stderr.write(`/health/ready was answered ${status}\n`);
      return performance.now() - start;
    }),
  ]);
  const max = await longestTurn(port);
  for (const client of [pings, writes, groups, pages, searches]) client?.close();
  const { answered, refused } = await end(child);
  await kill();
  return {
    ...prefixed('ping', ping),
    ...prefixed('privateMessage', privateMessage),
    ...prefixed('newGroup', newGroup),
    ...prefixed('getMessages', page),
    ...prefixed('searchMessages', search),
    ...prefixed('ready', ready),
    'longest turn': max,
    answered,
    refused,
    'others refused': refusals,
  };
}

/** Ends an attack; resolves to the numbers of answered and refused requests. */
async function end(child: ChildProcess): Promise<{ readonly answered: number; readonly refused: number }> {
  const ended = once(child, 'message');
  child.send('end');
  return (await ended)[0];
}

/** Returns the longest turn of the event loop since the last reading in milliseconds, with a resolution of 10. */
async function longestTurn(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]) * 1000;
}

/** Writes data directly into the tables and the search index. */
async function generate(db: pg.Client, groupId: number): Promise<void> {
  await db.query('begin');
  await db.query('select from message_search_progress for update');
  await db.query(
    `insert into messages (chat_id, seq, sender_id, kind, content, tally)
     select id, last_seq + n, created_by, 'text',
       case when n > $2::int - $3::int then repeat('ếếếếế ', 664) || 'zebrafoal' else 'common word ' || n end, n
     from chats, generate_series(1, $2::int) n where id = $1::bigint order by n`,
    [groupId, MESSAGES, LONG_MESSAGES],
  );
  await db.query('update chats set last_seq = last_seq + $2::int, tally = $2::int where id = $1::bigint', [
    groupId,
    MESSAGES,
  ]);
  await db.query(
    `with deleted as (insert into users (deleted_at) select now() from generate_series(1, $2::int) returning id)
     insert into former_members (chat_id, user_id) select $1::bigint, id from deleted`,
    [groupId, FORMER],
  );
  await db.query(
    `insert into message_search (message_id, chat_id, seq, document, folded, fold)
     select id, chat_id, seq, to_tsvector('folded_english', folded), folded, ${FOLD_VERSION} from messages, replace(content, 'ế', 'e') as folded where kind = 'text'`,
  );
  await db.query(
    `with newest as (select max(id) as id from messages)
     update message_search_progress set settled_id = id, noted_id = id, noted_xmax = pg_current_xact_id(),
       noted_settled_id = id, checked_id = id, refolded_id = id
     from newest`,
  );
  await db.query('commit');
  await db.query('vacuum analyze');
}
