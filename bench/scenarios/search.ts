import type pg from 'pg';
import { FOLD_VERSION } from '../../src/text/fold.ts';
import { ask } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import { percentiles, prefixed } from '../statistics.ts';
import type { Target } from '../targets.ts';
import type { Figures } from '../usage.ts';
import { rowsOf } from './reading.ts';

/** Chats of the measured user, messages in each, and messages of others. */
const CHATS = 1_000;
const PER_CHAT = 50;
const OTHERS = 950_000;
/** Messages of the measured user that change while offline. */
const CHANGES = 5_000;

/**
 * Measures a million generated messages, 50,000 of them in the 1,000 chats of the measured user; one request after
 * another.
 */
export async function search({ people, port, database: { client: db } }: Target): Promise<Figures> {
  const [reader, writer] = people;
  if (!reader || !writer) throw new Error('too few accounts');
  const client = await RawClient.open(port(0), reader.token);
  await generate(db, reader.id, writer.id);

  const time = async (name: string, type: string, params: object, rows: number) => {
    const times: number[] = [];
    for (let n = 0; n < 60; n++) {
      const { ms } = await rowsOf(client, type, params, rows);
      if (n >= 10) times.push(ms);
    }
    return prefixed(name, percentiles(times));
  };
  const search = (name: string, query: string, more: object = {}, rows = 20) =>
    time(name, 'searchMessages', { query, limit: rows, ...more }, rows);
  const beforeSync = {
    ...(await time('chat list', 'listLastMessage', { limit: 100 }, 100)),
    ...(await search('rare word', 'w1999', {}, 10)),
    ...(await search('common word', 'w1')),
    ...(await search('part of word', '199')),
    ...(await search('by relevance', 'w10', { order: 'relevance' })),
  };
  const { nextCursor } = (await ask(client, 'sync', { fromNow: true })).params;
  if (!nextCursor) throw new Error('sync returned no cursor');
  await change(db, reader.id);
  const sync = async (limit: number) => {
    const times: number[] = [];
    for (let n = 0; n < 7; n++) times.push(await syncAll(client, nextCursor, limit));
    return prefixed(`sync by ${limit}`, percentiles(times.slice(2)));
  };
  const result = { ...beforeSync, ...(await sync(500)), ...(await sync(1_000)) };
  client.close();
  return result;
}

/** Measures the milliseconds of a complete sync in pages of `limit`. */
async function syncAll(client: RawClient, cursor: string, limit: number): Promise<number> {
  const start = performance.now();
  let [next, rows, more] = [cursor, 0, true];
  while (more) {
    const { params } = await ask(client, 'sync', { cursor: next, limit });
    [next, more] = [params.nextCursor ?? '', params.more ?? false];
    rows += params.data?.length ?? 0;
  }
  if (rows < CHANGES) throw new Error(`sync returned only ${rows} changes`);
  return performance.now() - start;
}

/**
 * Generates chats with messages of eight words, where the n-th word of a vocabulary of 2,000 has a probability of about
 * 1/n, as in a language. Writes directly into the tables and the search index.
 */
async function generate(db: pg.Client, reader: number, writer: number): Promise<void> {
  // stops the server's indexer until the end
  await db.query('begin');
  await db.query('select from message_search_progress for update');
  const perOther = 475;
  await db.query(
    `insert into chats (kind, name, created_by, last_seq, tally, last_message_at)
     select 'group', 'chat ' || n, $1::bigint, last_seq, last_seq,
       now() - n * interval '1 minute'
     from generate_series(1, $5::int) n, lateral (select case when n <= $2::int then $3::int else $4::int end as last_seq) size`,
    [writer, CHATS, PER_CHAT, perOther, CHATS + OTHERS / perOther],
  );
  await db.query(
    `insert into chat_members (chat_id, user_id, read_seq, read_tally)
     select id, $1::bigint, 20, 20 from chats where last_seq = $3::int union all select id, $2::bigint, last_seq, last_seq from chats`,
    [reader, writer, PER_CHAT],
  );
  await db.query(
    `insert into messages (chat_id, seq, sender_id, kind, content, tally, created_at)
     select chats.id, seq, $1::bigint, 'text', (
       select string_agg('w' || floor(exp(random() * ln(2000)))::int, ' ')
       from generate_series(1, 8) where seq > 0 and chats.id > 0
     ), seq, now() - interval '30 days' + seq * interval '1 minute'
     from chats, lateral generate_series(1, chats.last_seq) seq
     order by seq, chats.id`,
    [writer],
  );
  await db.query(
    `update chats set last_message_id = messages.id from messages
     where messages.chat_id = chats.id and messages.seq = chats.last_seq`,
  );
  await db.query(
    `insert into mentions (user_id, chat_id, seq)
     select $1::bigint, id, 40 from chats where last_seq = $2::int`,
    [reader, PER_CHAT],
  );
  await db.query(
    `insert into message_search (message_id, chat_id, seq, document, folded, fold)
     select id, chat_id, seq, to_tsvector('folded_english', content), content, ${FOLD_VERSION} from messages`,
  );
  await db.query(
    `with newest as (select max(id) as id from messages)
     update message_search_progress set settled_id = id, noted_id = id, noted_xmax = pg_current_xact_id(),
       noted_settled_id = id, checked_id = id, refolded_id = id, segmented_id = id
     from newest`,
  );
  await db.query('commit');
  await db.query('vacuum analyze');
}

/** Adds new messages and edits old ones in all of the chats, half of the changes each. */
async function change(db: pg.Client, reader: number): Promise<void> {
  await db.query(
    `with mine as (select chat_id from chat_members where user_id = $1), added as (
       insert into messages (chat_id, seq, sender_id, kind, content, tally)
       select chats.id, chats.last_seq + n, chats.created_by, 'text', 'new', chats.tally + n
       from chats join mine on mine.chat_id = chats.id, generate_series(1, $2::int) n
     ), counted as (
       update chats set last_seq = last_seq + $2::int, tally = tally + $2::int from mine where mine.chat_id = chats.id
     )
     update messages set content = 'edited', edited_at = now(), changed_xid = pg_current_xact_id()
     from mine where messages.chat_id = mine.chat_id and seq between 11 and 10 + $2::int`,
    [reader, Math.ceil(CHANGES / CHATS / 2)],
  );
}
