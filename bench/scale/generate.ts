import type { Client } from 'pg';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { violatedConstraint } from '../../src/database/failures.ts';
import { indexNewMessages } from '../../src/messages/indexMessages.ts';
import { makeFilters } from '../../src/messages/searchFilters.ts';
import * as sql from './generate.sql.ts';
import type { Size } from './size.ts';

/** Messages indexed, and chats whose next filters are made, per statement. */
const INDEXED_AT_ONCE = 2_000;
const FILTERED_AT_ONCE = 256;

/**
 * Fills an empty database and its search index. All users have the password of `passwordHash`. `progress` is called
 * after each step with its name and the seconds since the start.
 */
export async function generate(
  url: string,
  client: Client,
  size: Size,
  passwordHash: string,
  progress: (done: string, seconds: number) => void,
): Promise<void> {
  const start = performance.now();
  const done = (step: string) => progress(step, (performance.now() - start) / 1_000);
  const { users, largeGroup } = size;
  const steps: readonly (readonly [name: string, statement: string, bind?: readonly unknown[]])[] = [
    ['people', sql.member],
    ['users', sql.users, [users, passwordHash]],
    [
      'plan',
      sql.plan,
      [
        ...[users, size.dialogs, size.groups, largeGroup.members, largeGroup.messages],
        ...[size.longDialog, size.manyChats, size.manyGroups],
      ],
    ],
    ['chats', sql.chats],
    ['members', sql.members, [users]],
    ['numbers of members', sql.memberCounts],
    ['messages', sql.messages, [users]],
    ['mentions', sql.mentions],
    ['newest messages', sql.newest],
    ['edits', sql.edits],
    ['reactions', sql.reactions],
    ['former members', sql.former, [users, largeGroup.members]],
    ['blocks', sql.blocks, [users]],
    ['sessions', sql.sessions, [users, size.sessions, size.ownSessions]],
    ['sequences', sql.sequences],
  ];
  await client.query('begin');
  await client.query('select setseed(0.5)');
  for (const [name, statement, bind = []] of steps) {
    await client.query(statement, [...bind]);
    done(name);
  }
  await client.query('commit');
  await client.query('vacuum analyze');
  done('vacuum');
  await index(url);
  done('search index');
  await client.query('vacuum analyze message_search, message_search_filters');
  done('vacuum of the search index');
}

/** Indexes everything with the code of the server, possibly concurrently with a running server. */
async function index(url: string): Promise<void> {
  const db = openDatabase(url, 2);
  try {
    while ((await indexNext(db)) > 0);
    while ((await makeFilters(db, FILTERED_AT_ONCE)).count > 0);
  } finally {
    await db.close();
  }
}

/** Indexes some messages; resolves to the number of remaining ones. */
async function indexNext(db: Database): Promise<number> {
  try {
    return (await indexNewMessages(db, INDEXED_AT_ONCE)).lag;
  } catch (error) {
    if (violatedConstraint(error) !== 'message_search_pkey') throw error;
    return INDEXED_AT_ONCE; // the server wrote the same entries; the next call finds them
  }
}
