import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { BENCH_PASSWORD, BENCH_SECRET, tokenOf } from '../../bench/accounts.ts';
import { type BenchDatabase, startDatabase } from '../../bench/database.ts';
import { type Case, readingCases, writingCases } from '../../bench/scale/cases.ts';
import { CASE } from '../../bench/scale/generate.sql.ts';
import { generate } from '../../bench/scale/generate.ts';
import { sizeOf } from '../../bench/scale/size.ts';
import { watchStatements } from '../../bench/scale/statements.ts';
import { newestChats, oneChat } from '../../src/chats/chatList.sql.ts';
import { around } from '../../src/commands/getMessagesAround.ts';
import { stateOf } from '../../src/commands/markRead.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { PreparedStatement } from '../../src/database/statements.ts';
import { messagesById } from '../../src/events/read.ts';
import { scanEvents, scanEventsOfGroup } from '../../src/events/scan.sql.ts';
import { candidates, hits } from '../../src/messages/search.sql.ts';
import { nextFilters } from '../../src/messages/searchFilters.sql.ts';
import { indexNext } from '../../src/messages/searchIndex.sql.ts';
import { writeOne, writePlain } from '../../src/messages/writePlain.sql.ts';
import { leftSince, renamedSince } from '../../src/sync/beforeChats.sql.ts';
import { changesSince } from '../../src/sync/changes.sql.ts';
import { everything } from '../../src/sync/everything.sql.ts';
import { messagesAt } from '../../src/sync/read.ts';
import { namesFrom, namesOfContactsFrom } from '../../src/users/byName.ts';
import { connectAs, type RunningServer, startServer, temporaryFolder } from '../support/harness.ts';
import { until } from '../support/until.ts';

/** Few for a server, but so many that a plan that reads a whole table, or a whole chat, is far over the bounds. */
const MESSAGES = 60_000;
/** Runs of a statement after which PostgreSQL keeps its plan. */
const RUNS = 8;

/** Pages of 8 KiB that all statements of a command may read. */
const BOUNDS: Readonly<Record<string, number>> = {
  'list of 20 chats': 570,
  'list of many chats, first page': 3_800,
  'list of many chats, any page': 90,
  'list with 300,000 unread': 50,
  'large group, 300,000 unread': 60,
  'groups of who is in many': 150,
  'public groups by a part of the name': 60,
  'history: large group, first page': 1_300,
  'history: large group, any page': 1_300,
  'history: long dialog, any page': 1_300,
  'history: by seq': 1_300,
  'history: around a message': 660,
  thread: 40,
  pins: 30,
  'receipts of a message': 600,
  'members: first page': 2_300,
  profile: 40,
  'presence of 100, one with many sessions': 1_700,
  'live sessions, many ended': 20,
  'sessions, many ended': 180,
  users: 1_700,
  'users by one letter': 2_000,
  'users by what only the newest have': 850,
  'users by an unknown name': 30,
  'users by the name of one': 50,
  'search: rare word, 20 chats': 280,
  'search: common word, 20 chats': 1_400,
  'search: rare word, many chats': 560,
  'search: common word, many chats': 1_600,
  'search: two common words, many chats': 5_900,
  'search: unknown word, many chats': 570,
  'search: part of a word, many chats': 610,
  'search: two CJK characters, many chats': 630,
  'search: common word by relevance, many chats': 19_500,
  'search: rare word, large group': 170,
  'search: common word, large group': 1_200,
  'search: unknown word, large group': 210,
  'search: common word by relevance, large group': 23_300,
  'search: part of a word, large group': 330,
  'search: part of a word in Cyrillic, large group': 170,
  'search: two CJK characters, large group': 170,
  'search: one letter, large group': 7_800,
  'search: without a word, large group': 1_100,
  'search: phrase, large group': 8_200,
  'search: common word in a week of long ago, large group': 660,
  'search: common word by one person, large group': 6_300,
  'search: common word with a mention, large group': 18_800,
  'search: common word with unknown custom data, large group': 22_900,
  'search: rare word, long dialog': 140,
  'search: common word, long dialog': 1_200,
  'search: part of a word, long dialog': 170,
  'write in a dialog': 60,
  'write in the large group': 50,
  'mark as read, 300,000 behind': 70,
  'mark as read': 50,
  react: 110,
  'take a reaction back': 100,
  'pin a message': 110,
  'delete a message': 150,
  'promote a member': 140,
  'remove a member': 100,
  'add a member': 180,
  'change the group': 100,
  'make a group': 240,
  'mute a chat': 80,
  'block a user': 120,
  'another display name': 170,
};

/** Statements whose plan is kept, by the connections that run them. */
const STATEMENTS: Readonly<Record<'reads' | 'writer' | 'indexer', readonly PreparedStatement[]>> = {
  reads: [
    ...[newestChats, oneChat, stateOf, around, namesFrom, namesOfContactsFrom],
    ...[
      changesSince,
      everything,
      renamedSince,
      leftSince,
      messagesAt,
      messagesById,
      scanEvents,
      scanEventsOfGroup,
    ],
    ...[
      candidates('all'),
      candidates('one'),
      hits('filtered', 'all', 'recency'),
      hits('unfiltered', 'all', 'recency'),
    ],
  ],
  writer: [
    { name: 'one message', text: writeOne },
    { name: 'plain messages', text: writePlain },
  ],
  indexer: [indexNext(1_000), nextFilters(256)],
};

/** The indexes of each of them. */
const INDEXES: Readonly<Record<string, readonly string[]>> = {
  'candidates in all': ['chat_members_by_user', 'message_search_chat', 'message_search_filters_pkey'],
  'candidates in one': ['chat_members_by_user', 'message_search_chat', 'message_search_filters_pkey'],
  'hits filtered in all by recency': [
    'chat_members_by_user',
    'chats_pkey',
    'message_search_chat',
    'messages_pkey',
  ],
  'hits unfiltered in all by recency': [
    'chat_members_by_user',
    'chats_pkey',
    'message_search_pkey',
    'messages_pkey',
  ],
  'index 1000 messages': [
    'all of message_search_progress',
    'all of messages_id_seq',
    'message_search_changed_pkey',
    'message_search_pkey',
    'messages_id',
  ],
  'messages around': [
    'chat_members_by_user',
    'chats_pkey',
    'messages_id',
    'messages_pkey',
    'pins_pkey',
    'reactions_pkey',
    'users_pkey',
  ],
  'newest chats': [
    'chat_members_by_user',
    'chats_pkey',
    'deleted_messages_pkey',
    'mentions_pkey',
    'messages_deleted_unread',
    'messages_pkey',
    'users_pkey',
  ],
  'next filters of 256 chats': [
    'all of message_search_progress',
    'message_search_chat',
    'message_search_filters_pkey',
    'message_search_pkey',
    'messages_id',
  ],
  'contacts by name': [
    ...['chat_members_by_user', 'chats_pkey'],
    ...['users_by_display_name_in_order', 'users_by_username_in_order'],
  ],
  'users by name': ['users_by_display_name_in_order', 'users_by_username_in_order'],
  'one chat': [
    'chat_members_by_user',
    'chats_pkey',
    'deleted_messages_pkey',
    'mentions_pkey',
    'messages_deleted_unread',
    'messages_pkey',
    'users_pkey',
  ],
  'one message': ['chat_members_by_user', 'chats_pkey', 'messages_once_per_sender', 'users_pkey'],
  'plain messages': ['chat_members_by_user', 'chats_pkey', 'messages_once_per_sender', 'users_pkey'],
  'state of chat': [
    'chat_members_by_user',
    'chats_pkey',
    'deleted_messages_pkey',
    'mentions_pkey',
    'messages_deleted_unread',
  ],
  'events: messages': ['chats_pkey', 'messages_id', 'pins_pkey', 'reactions_pkey', 'users_pkey'],
  'events: scan': ['events_pkey', 'messages_id'],
  'events: scan of a group': ['chats_pkey', 'events_pkey', 'messages_pkey'],
  'sync: changes': [
    'chat_members_by_user',
    'chat_members_changes',
    'chats_pkey',
    'former_members_changes',
    'messages_changes',
    'messages_pkey',
  ],
  'sync: everything': ['chat_members_by_user', 'chats_pkey'],
  'sync: left': ['chat_members_by_user', 'chats_pkey', 'closures_pkey', 'former_members_of_user'],
  'sync: messages': ['chats_pkey', 'messages_pkey', 'pins_pkey', 'reactions_pkey', 'users_pkey'],
  'sync: renames': ['chat_members_by_user', 'former_members_pkey', 'users_renamed'],
};

interface Explained {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }];
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Returns all indexes of a plan, and the tables that it reads completely. */
function indexesOf(plan: PlanNode | undefined): string[] {
  const found = new Set<string>();
  const look = (node: PlanNode): void => {
    if (node['Node Type'] === 'Seq Scan') found.add(`all of ${node['Relation Name']}`);
    if (node['Index Name']) found.add(node['Index Name']);
    node.Plans?.forEach(look);
  };
  if (plan) look(plan);
  return [...found].sort();
}

/*
 * The commands of the benchmark `scale`, on little data of the same kind.
 */
describe('the query plans', function () {
  this.timeout(180_000);
  let database: BenchDatabase;
  let server: RunningServer;
  let statements: Awaited<ReturnType<typeof watchStatements>>;

  before(async () => {
    database = await startDatabase(await temporaryFolder(), true);
    server = await startServer({ DATABASE_URL: database.url, JWT_SECRET: BENCH_SECRET });
    await generate(database.url, database.client, sizeOf(MESSAGES), hashSync(BENCH_PASSWORD, 4), () => {});
    // All periodic work of a server runs more often than its heartbeat in the database.
    statements = await watchStatements(database.client, () => until(hasHeartbeat));
  });

  after(async () => {
    await server?.close();
    await database?.stop();
  });

  it('read few pages for queries, whatever else is stored', async () => {
    expect(await overBounds(await readingCases(database.client))).to.deep.equal([]);
  });

  it('read few pages for changes, whatever else is stored', async () => {
    expect(await overBounds(await writingCases(database.client))).to.deep.equal([]);
  });

  it('use these indexes, whatever the values', async () => {
    const db = openDatabase(database.url, 2);
    const used: Record<string, readonly string[]> = {};
    const read = (query: object) => db.reads.query<Explained>((query as { text: string }).text, []);
    try {
      for (const [pool, statements] of Object.entries(STATEMENTS))
        for (const { name, text } of statements) {
          const explain = { text: `explain (generic_plan, format json) ${text}` };
          const rows = await (pool === 'reads'
            ? read(explain)
            : db[pool as 'writer'].query<Explained>(explain));
          used[name] = indexesOf(rows[0]?.['QUERY PLAN'][0]?.Plan);
        }
    } finally {
      await db.close();
    }
    expect(used).to.deep.equal(INDEXES);
  });

  async function hasHeartbeat(): Promise<boolean> {
    const { rows } = await database.client.query(
      "select from pg_stat_statements where query like '%beat_at%'",
    );
    return rows.length > 0;
  }

  async function overBounds(cases: readonly Case[]): Promise<string[]> {
    const over: string[] = [];
    for (const one of cases) {
      const [pages, bound] = [await pagesOf(one), BOUNDS[one.name] ?? 0];
      if (pages > bound) over.push(`${one.name}: ${pages} pages, not ${bound}`);
    }
    return over;
  }

  /** Returns the fewer pages of two runs: the indexer of the server may have worked during one of them. */
  async function pagesOf({ user, type, params }: Case): Promise<number> {
    const client = await connectAs(tokenOf(CASE[user]), server.url);
    for (let n = 0; n < RUNS; n++) await client.done(type, await params(n));
    const runs: number[] = [];
    for (const n of [RUNS, RUNS + 1]) {
      await statements.begin();
      await client.done(type, await params(n));
      runs.push((await statements.read()).buffers);
    }
    await client.close();
    return Math.min(...runs);
  }
});
