import { createTokens } from '../../src/auth/tokens.ts';
import type { UserId } from '../../src/ids.ts';
import { database, JWT_SECRET } from './harness.ts';

/*
 * The largest legal data, written into the database directly: texts of control characters, which take six bytes each
 * in JSON, and names of letters that take four.
 */

const ROWS = 100;
const control = (length: number) => '\u0001'.repeat(length);
/** 4 KiB of JSON. */
function customOf(mark: object): string {
  return JSON.stringify({ ...mark, x: 'x'.repeat(4096 - JSON.stringify({ ...mark, x: '' }).length) });
}
const CUSTOM = customOf({});
let made = 0;
/** A word to be found, in the longest message. */
export const WORD = 'needle';
const CONTENT = `${WORD} ${control(3993)}`;

const tones = [...'🏻🏼🏽🏾🏿'];
/** As many different reactions as a message can have, of the longest emoji. */
const REACTIONS = JSON.stringify(
  Object.fromEntries(
    ['👩', '👨'].flatMap((one) =>
      tones.flatMap((tone) => tones.map((other) => [`${one}${tone}‍❤️‍💋‍👨${other}`, 1_000_000])),
    ),
  ),
);

/** A user whose lists are all full of the largest rows. */
export interface Largest {
  readonly id: UserId;
  readonly token: string;
  /** A group of 100 of the longest messages, all pinned replies to `messageId`, and members with the longest names. */
  readonly groupId: number;
  /** The first message there, edited 100 times. */
  readonly messageId: number;
  /** A dialog of the same kind with this user. */
  readonly receiverId: number;
  readonly userIds: readonly number[];
  /** Finds the users with the largest profiles. */
  readonly custom: object;
}

const run = (sql: string, ...bind: unknown[]) => database.query<{ id: number }>(sql, bind);

export async function newLargest(): Promise<Largest> {
  const custom = { mark: `largest ${process.pid} ${++made}` };
  const people = await run(
    `insert into users (
       email, email_folded, username, username_folded, username_search, password_hash,
       display_name, display_name_search, about, avatar, custom
     )
     select email, email, username, username, username, 'none', $4, $4, $5, $5, $6::jsonb
     from generate_series(0, ${ROWS}) n,
       lateral (select 'largest' || $1::text || '-' || n || '@example.com' as email) address,
       lateral (select $2 || chr($3::int + n) as username) name
     returning id`,
    `${process.pid}-${made}`,
    '𠀀'.repeat(63),
    0x20000 + ((((process.pid % 100) * 4 + made) * (ROWS + 1)) % 40_000),
    control(100),
    control(500),
    customOf(custom),
  );
  const [id, ...userIds] = people.map((person) => person.id) as [UserId, ...UserId[]];
  const receiverId = userIds[0] as number;

  const publicGroups = await groups(id, ROWS - 2, false, customOf(custom));
  const [own] = await groups(id, 1, true, CUSTOM);
  const groupId = own as number;
  const [dialog] = await run(
    `insert into chats (kind, user_low, user_high, created_by) values ('dialog', $1, $2, $1) returning id`,
    id,
    receiverId,
  );
  await join(groupId, userIds);
  await join(dialog?.id as number, [id, receiverId]);

  for (const chatId of publicGroups) await fill(chatId, id, 1);
  const messageId = await fill(groupId, receiverId, ROWS);
  await fill(dialog?.id as number, id, ROWS);

  await run(
    `insert into message_edits (message_id, version, content, created_at)
     select $1, n, $2, now() from generate_series(1, ${ROWS}) n`,
    messageId,
    CONTENT,
  );
  await run(
    'insert into pins (chat_id, seq, pinned_by) select chat_id, seq, $2 from messages where chat_id = $1',
    groupId,
    id,
  );
  await run(
    `insert into blocks (user_id, blocked_id) select $1, id::bigint from jsonb_array_elements_text($2::jsonb) id`,
    id,
    JSON.stringify(userIds.slice(1)),
  );
  await run(
    `insert into invites (chat_id, code, created_by) select $1::bigint, repeat('c', 16) || $1::bigint || '-' || n, $2
     from generate_series(1, ${ROWS}) n`,
    groupId,
    id,
  );
  await run(
    `insert into sessions (id, user_id, node_id, device, address, connected_at, ended_at)
     select nextval('sessions_id_seq'), $1, gen_random_uuid(), $2, '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', now(), now()
     from generate_series(1, ${ROWS}) n`,
    id,
    '䷀'.repeat(100),
  );
  const token = createTokens([JWT_SECRET], 3600, Date).issue({ id, tokenVersion: 1, othersEndedAt: null });
  return { id, token, groupId, messageId, receiverId, userIds, custom };
}

/** Creates groups with the longest texts, with a member. */
async function groups(owner: number, count: number, isPrivate: boolean, custom: string): Promise<number[]> {
  const rows = await run(
    `insert into chats (kind, name, description, custom, is_private, created_by, member_count)
     select 'group', $1 || to_char(n, 'FM000') || $2::text, $3, $4::jsonb, $5, $6, 1 from generate_series(1, $7::int) n
     returning id`,
    control(88),
    `${process.pid % 100_000}-${made}`,
    control(1000),
    custom,
    isPrivate,
    owner,
    count,
  );
  const ids = rows.map(({ id }) => id);
  for (const id of ids) await join(id, [owner], 'owner');
  return ids;
}

const join = (chatId: number, userIds: readonly number[], role = 'member') =>
  run(
    `insert into chat_members (chat_id, user_id, role)
     select $1, id::bigint, $3 from jsonb_array_elements_text($2::jsonb) id on conflict do nothing`,
    chatId,
    JSON.stringify(userIds),
    role,
  );

/** Fills a chat with the largest messages, replies to the first one; resolves to its id. */
async function fill(chatId: number, senderId: number, count: number): Promise<number> {
  const [first] = await run(
    `with stored as (
       insert into messages (
         chat_id, seq, sender_id, kind, content, custom, mentions, reactions, forwarded_from, edited_at, tally
       )
       select $1, n, $2, 'text', $3, $4::jsonb, array(select 1000000000000000 + m from generate_series(1, 51) m),
         $5::jsonb, $2, now(), n
       from generate_series(1, $6::int) n returning id, seq
     ), counted as (
       update chats set last_seq = $6::int, tally = $6::int, last_message_id = (select max(id) from stored),
         last_message_at = clock_timestamp()
       where id = $1
     )
     select id from stored where seq = 1`,
    chatId,
    senderId,
    CONTENT,
    CUSTOM,
    REACTIONS,
    count,
  );
  await run('update messages set reply_to = $2 where chat_id = $1 and seq > 1', chatId, first?.id);
  return first?.id as number;
}
