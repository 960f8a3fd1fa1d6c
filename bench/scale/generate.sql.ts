/*
 * Statements that write the data of a server directly into the tables, as if written over two years: all counters and
 * references are consistent, except that everything is one transaction. The users of the single cases come first, with
 * the ids of {@link CASE}; all others begin at OTHERS.
 */

/** Ids of the users of the single cases. */
export const CASE = {
  manyChats: 1,
  manyGroups: 2,
  /** A member of the large group who has read 70 % of it. */
  behind: 3,
  manySessions: 4,
  /** The members of the long dialog. */
  longDialog: 5,
  longDialogOther: 6,
  owner: 7,
  /** A member of about twenty chats and the large group. */
  ordinary: 8,
} as const;

/** The name of the large group, and the beginning of the newest usernames. */
export const LARGE_GROUP = 'Everybody';
export const NEWEST_NAMES = 'zz';

/** The first user outside of the single cases. */
const OTHERS = 20;

/**
 * Syllables of words by script: a word has three of 32 syllables of two letters in Latin (0), Cyrillic (1), Greek (3)
 * and Arabic (4). In CJK (2) a word has two characters, and nothing separates words.
 */
const SYLLABLES = [
  'babebibobudadedidodufafefifofugagegigogukakekikokulalelilolumame',
  'бабебибобугагегигогудадедидодукакекикокулалелилолумамемимомунане',
  '',
  'βαβεβιβοβυγαγεγιγογυδαδεδιδοδυκακεκικοκυλαλελιλολυμαμεμιμομυνανε',
  'بابيبوتاتيتوجاجيجوداديدوراريروزازيزوساسيسوشاشيشوفافيفوكاكيكولالي',
];
const CJK = 2;

/** Returns the n-th word of 32,768 in a script, most common first. */
export function wordOf(n: number, script: number): string {
  const at = (index: number) => SYLLABLES[script]?.slice((index % 32) * 2, (index % 32) * 2 + 2) ?? '';
  if (script === CJK) return String.fromCharCode(0x4e00 + (n % 997), 0x4e00 + (Math.floor(n / 32) % 997));
  return at(n) + at(Math.floor(n / 32)) + at(Math.floor(n / 1024));
}

/** Inserts $1 users with the password hash $2. The newest hundredth has usernames with {@link NEWEST_NAMES}. */
export const users = `
insert into users (id, email, email_folded, username, username_folded, username_search, password_hash, display_name,
  display_name_search, created_at)
overriding system value
select id, name || '@example.com', name || '@example.com', name, name, name, $2::text, 'Person ' || id, 'person ' || id,
  now() - interval '2 years' + (id::float8 / $1::int) * interval '2 years'
from generate_series(1, $1::int) id
cross join lateral (
  select case when id > $1::int * 0.99 then '${NEWEST_NAMES}' else chr(97 + id % 23) || chr(97 + id / 23 % 23) end || id as name
) named
`;

/** Creates a function that returns the k-th member of a group, distributed over all users. */
export const member = `
create or replace function pg_temp.member(chat bigint, k bigint, users int) returns bigint language sql immutable as $$
  select ${OTHERS} + abs(hashint8(chat * 1024 + k)::bigint) % (users - ${OTHERS})
$$
`;

/**
 * Creates a table of the planned chats. A dialog has \`low\` and \`high\`; a group has an owner, and further members by
 * \`member\` or all users from \`first\` on. $1 users, $2 dialogs, $3 groups, $4 members and $5 messages of the large
 * group, $6 messages of the long dialog, $7 chats and $8 groups of the users with many.
 */
export const plan = `
create temp table plan on commit drop as
select row_number() over (order by random()) as id, made.*
from (
  select 'group' as kind, '${LARGE_GROUP}' as name, ${CASE.owner}::bigint as owner, ${CASE.behind}::bigint as first,
    $4::int as members, null::bigint as low, null::bigint as high, $5::int as size
  union all
  select 'dialog', null, ${CASE.longDialog}, null, 2, ${CASE.longDialog}, ${CASE.longDialogOther}, $6::int
  union all
  select 'dialog', null, ${CASE.manyChats}, null, 2, ${CASE.manyChats}, ${OTHERS} + n::bigint * ($1::int - ${OTHERS}) / $7::int, 60
  from generate_series(1, $7::int / 2) n
  union all
  select 'group', 'group of one in many ' || n, ${CASE.manyChats}, null, 5, null, null, 60
  from generate_series(1, $7::int - $7::int / 2) n
  union all
  select 'group', 'group of fifty ' || n, ${CASE.manyGroups}, null, 50, null, null, 20 from generate_series(1, $8::int) n
  union all
  select 'dialog', null, ${CASE.ordinary}, null, 2, ${CASE.ordinary}, ${OTHERS} + n, 100 from generate_series(1, 10) n
  union all
  select 'group', 'group of anybody ' || n, ${CASE.ordinary}, null, 8, null, null, 100 from generate_series(1, 10) n
  union all
  select 'dialog', null, low, null, 2, low, low + 5, size
  from generate_series(1, $2::int) n
  cross join lateral (select ${OTHERS} + n::bigint * ($1::int - ${OTHERS} - 5) / $2::int as low) person
  cross join lateral (select least(5000, 10.8 * power(random() + n * 0, -0.6))::int as size) length
  union all
  select 'group', 'group ' || n, pg_temp.member(n, 0, $1::int), null, members, null, null, size
  from generate_series(1, $3::int) n
  cross join lateral (select 3 + (random() * 16 + n * 0)::int as members) people
  cross join lateral (select least(5000, 10.8 * power(random() + n * 0, -0.6))::int as size) length
) made
`;

/** One group in twenty is public. */
export const chats = `
insert into chats (id, kind, name, name_folded, name_search, user_low, user_high, is_private, created_by, last_seq, tally,
  created_at, last_message_at)
overriding system value
select id, kind, name, lower(name), lower(name), low, high, id % 20 <> 0, owner, size,
  size - case kind when 'group' then 1 else 0 end, now() - interval '2 years', now()
from plan
order by id
`;

/** Inserts the members; $1 users. Owners have read everything, `behind` 70 % and the others most of it. */
export const members = `
insert into chat_members (chat_id, user_id, role, read_seq, delivered_seq, read_tally, joined_at)
select chat_id, user_id, role, read_seq, read_seq, greatest(0, read_seq - case kind when 'group' then 1 else 0 end),
  now() - interval '2 years'
from (
  select id as chat_id, user_id, kind, role,
    case when user_id = ${CASE.behind} then size * 7 / 10 when role = 'owner' then size
      else (size * (1 - power(random(), 4)))::bigint end as read_seq
  from (
    select id, low as user_id, kind, 'member' as role, size from plan where kind = 'dialog'
    union all
    select id, high, kind, 'member', size from plan where kind = 'dialog'
    union all
    select id, owner, kind, 'owner', size from plan where kind = 'group'
    union all
    select id, first + k, kind, case when k % 1000 = 1 then 'admin' else 'member' end, size
    from plan, generate_series(0, members - 1) k
    where first is not null and first + k <> owner
    union all
    select distinct id, pg_temp.member(id, k, $1::int), kind, 'member', size from plan, generate_series(1, members - 1) k
    where kind = 'group' and first is null and pg_temp.member(id, k, $1::int) <> owner
  ) member
  order by random()
) member
`;

export const memberCounts = `
update chats set member_count = people.n from (select chat_id, count(*) as n from chat_members group by chat_id) people
where people.chat_id = chats.id
`;

/**
 * Inserts the messages in the order of their times, in which the chats are interleaved; $1 users. Words are distributed
 * as in a language (the n-th with a probability of about 1/n); three quarters of the messages are in Latin letters.
 * Three in a hundred are deleted, two edited. Every sixth message in a group has a mention; in the large group every
 * twentieth mentions `behind`.
 */
export const messages = `
insert into messages (chat_id, seq, sender_id, kind, content, tally, created_at, edited_at, deleted_at, version, mentions,
  changed_xid)
select chat_id, seq, sender, kind,
  case
    when kind = 'system' then 'Somebody created the group'
    when fate < 0.03 then ''
    else array_to_string(array(
      select case script when ${CJK} then chr(19968 + n % 997) || chr(19968 + n / 32 % 997) else
        substr(syllables, n % 32 * 2 + 1, 2) || substr(syllables, n / 32 % 32 * 2 + 1, 2) || substr(syllables, n / 1024 * 2 + 1, 2)
      end
      from (select least(32767, exp(random() * 10.397)::int - 1) as n from generate_series(1, 3 + (length * 10)::int) offset 0) word
    ), case script when ${CJK} then '' else ' ' end)
  end,
  tally, at,
  case when kind = 'text' and fate between 0.03 and 0.05 then at + interval '1 minute' end,
  case when kind = 'text' and fate < 0.03 then at + interval '1 minute' end,
  case when kind = 'text' and fate < 0.05 then 1 end,
  case when kind = 'text' and fate >= 0.03 and mentioned <> sender then array[mentioned] end,
  case when kind = 'text' and fate < 0.05 then pg_current_xact_id() end
from (
  select chat.id as chat_id, seq, case when seq = 1 and chat.kind = 'group' then 'system' else 'text' end as kind,
    case
      when chat.kind = 'dialog' then case when seq % 2 = 1 then low else high end
      when seq = 1 then owner
      when first is not null then first + (random() * (members - 1))::int
      when seq % 4 = 0 then owner
      else coalesce(nullif(pg_temp.member(chat.id, 1 + seq % (members - 1), $1::int), 0), owner)
    end as sender,
    seq - case chat.kind when 'group' then 1 else 0 end as tally,
    now() - interval '2 years' + interval '2 years' * ((seq + random()) / (size + 1)) as at,
    random() as fate, random() as length,
    script, syllables,
    case
      when chat.kind = 'dialog' or seq = 1 then null
      when first is not null and seq % 20 = 0 then ${CASE.behind}
      when seq % 6 = 0 and first is not null then first + (random() * (members - 1))::int
      when seq % 6 = 0 then owner
    end as mentioned
  from plan chat
  cross join lateral (select seq, random() as pick from generate_series(1, size) seq) message
  cross join lateral (
    select case when pick < 0.76 then 0 when pick < 0.85 then 1 when pick < 0.92 then 2 when pick < 0.96 then 3 else 4 end as script
  ) writing
  join (values ${SYLLABLES.map((syllables, script) => `(${script}, '${syllables}')`)}) letters (number, syllables) on number = script
  order by at
) message
`;

export const mentions = `
insert into mentions (user_id, chat_id, seq)
select distinct unnest(mentions), chat_id, seq from messages where mentions is not null
`;

export const newest = `
update chats set last_message_id = message.id, last_message_at = message.created_at
from messages message where message.chat_id = chats.id and message.seq = chats.last_seq
`;

export const edits = `
insert into message_edits (message_id, version, content, created_at)
select id, 1, 'as it was', created_at from messages where edited_at is not null
`;

/** Adds a reaction to two in a hundred messages of users. */
export const reactions = `
with reacted as (
  insert into reactions (chat_id, seq, user_id, emoji)
  select chat_id, seq, sender_id, '👍' from messages where id % 50 = 0 and kind = 'text' and deleted_at is null
  returning chat_id, seq
)
update messages set reactions = '{"👍": 1}', version = coalesce(version, 0) + 1, changed_xid = pg_current_xact_id()
from reacted where messages.chat_id = reacted.chat_id and messages.seq = reacted.seq
`;

/** Inserts as many former members of the large group as it has members. $1 users, $2 members. */
export const former = `
insert into former_members (chat_id, user_id, left_at, left_seq)
select (select id from plan where name = '${LARGE_GROUP}'), ${OTHERS} + $2::int + n, now(), 100
from generate_series(1, $2::int) n where ${OTHERS} + $2::int + n <= $1::int
`;

export const blocks = `
insert into blocks (user_id, blocked_id)
select id, id + 1 from generate_series(${OTHERS}, $1::int - 1, 50) id
`;

/** Inserts ended sessions: $1 users, $2 sessions of all users, $3 sessions of one user. */
export const sessions = `
with node as (
  insert into nodes (id, beat_at) values (gen_random_uuid(), now() - interval '1 hour') returning id
)
insert into sessions (user_id, node_id, token_id, device, address, connected_at, ended_at)
select user_id, node.id, gen_random_uuid(), 'bench', '127.0.0.1', at, at + interval '1 minute'
from node, (
  select 1 + (random() * ($1::int - 1))::int as user_id, now() - random() * interval '29 days' as at
  from generate_series(1, $2::int)
  union all
  select ${CASE.manySessions}, now() - random() * interval '29 days' from generate_series(1, $3::int)
  order by at
) session
`;

/** Advances the sequences past the generated rows. */
export const sequences = `
select setval(pg_get_serial_sequence('users', 'id'), (select max(id) from users)),
  setval(pg_get_serial_sequence('chats', 'id'), (select max(id) from chats))
`;
