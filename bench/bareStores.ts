import type { Client } from 'pg';

/** A message to store: the recipient is a user or a group. */
export interface Draft {
  readonly senderId: number;
  readonly recipient: Recipient;
  readonly content: string;
}

export type Recipient = { readonly receiverId: number } | { readonly groupId: number };

/** A stored message; undefined for a refused one. */
export type Stored = { readonly id: number; readonly seq?: number } | undefined;

/** Stores batches of messages, each with one statement, and returns the results in order. */
export interface BareStore {
  makeGroup(): Promise<number>;
  addMember(groupId: number, userId: number): Promise<void>;
  write(batch: readonly Draft[]): Promise<Stored[]>;
}

/** Creates the minimal store: an INSERT without any checks. */
export async function createPlainStore(database: Client): Promise<BareStore> {
  await database.query(
    'create table bare (id bigint generated always as identity primary key, sender bigint, recipient bigint, content text)',
  );
  let groups = 0;
  return {
    makeGroup: async () => ++groups,
    addMember: async () => {},
    async write(batch) {
      const { rows } = await database.query({
        name: 'write',
        text: 'insert into bare (sender, recipient, content) select * from unnest($1::bigint[], $2::bigint[], $3::text[]) returning id',
        values: [
          batch.map(({ senderId }) => senderId),
          batch.map(({ recipient }) => ('groupId' in recipient ? recipient.groupId : recipient.receiverId)),
          batch.map(({ content }) => content),
        ],
      });
      return rows.map(({ id }) => ({ id: Number(id) }));
    },
  };
}

const seqTables = `
create table chats (id bigint generated always as identity primary key, last_seq bigint not null default 0);
create table members (chat_id bigint, user_id bigint, primary key (chat_id, user_id));
create table messages (
  id bigint generated always as identity primary key,
  chat_id bigint not null, seq bigint not null, sender_id bigint not null, content text not null,
  unique (chat_id, seq)
);
set plan_cache_mode = force_generic_plan; -- one plan for all sizes of batches`;

/**
 * Checks that each sender is a member of the chat, increments `last_seq` of the chats, whose rows stay locked until the
 * commit, and numbers the messages in arrival order. Returns rows in this order, none for refused messages.
 */
const writeWithSeq = `
with allowed as (
  select draft.*
  from unnest($1::bigint[], $2::bigint[], $3::text[]) with ordinality as draft (chat_id, sender_id, content, ord)
  where exists (select from members where chat_id = draft.chat_id and user_id = draft.sender_id)
), raised as materialized (
  update chats set last_seq = last_seq + added.n
  from (select chat_id, count(*) as n from allowed group by chat_id) added
  where chats.id = added.chat_id
  returning chat_id, last_seq - n as base
)
insert into messages (chat_id, seq, sender_id, content)
select chat_id, base + row_number() over (partition by chat_id order by ord), sender_id, content
from allowed join raised using (chat_id)
order by ord
returning id, seq`;

const originsOf = 'select chat_id, sender_id from messages where id = any($1::bigint[]) order by id';

/** Creates a store with the minimum of a messenger: membership, and numbers without gaps in each chat. */
export async function createSeqStore(database: Client): Promise<BareStore> {
  await database.query(seqTables);
  const dialogs = new Map<number, number>();

  const makeChat = async (...members: number[]): Promise<number> => {
    const { rows } = await database.query(
      'with chat as (insert into chats default values returning id), joined as (insert into members select id, unnest($1::bigint[]) from chat) select id from chat',
      [members],
    );
    return Number(rows[0].id);
  };
  const knownChat = ({ senderId, recipient }: Draft): number | undefined =>
    'groupId' in recipient ? recipient.groupId : dialogs.get(pairKey(senderId, recipient.receiverId));
  const makeDialog = async (one: number, other: number): Promise<number> => {
    const made = await makeChat(one, other);
    dialogs.set(pairKey(one, other), made);
    return made;
  };

  return {
    makeGroup: () => makeChat(),
    async addMember(groupId, userId) {
      await database.query('insert into members values ($1, $2)', [groupId, userId]);
    },
    async write(batch) {
      const chatIds: number[] = [];
      for (const draft of batch) {
        const { senderId, recipient } = draft;
        const known = knownChat(draft);
        if (known !== undefined) chatIds.push(known);
        else if ('receiverId' in recipient) chatIds.push(await makeDialog(senderId, recipient.receiverId));
      }
      const { rows } = await database.query({
        name: 'write',
        text: writeWithSeq,
        values: [chatIds, batch.map(({ senderId }) => senderId), batch.map(({ content }) => content)],
      });
      const stored: Stored[] = rows.map(({ id, seq }) => ({ id: Number(id), seq: Number(seq) }));
      if (stored.length === batch.length) return stored;
      const origins = (await database.query(originsOf, [stored.map((message) => message?.id)])).rows;
      let n = 0;
      return batch.map(({ senderId }, index) => {
        const origin = origins[n];
        const isNext = Number(origin?.chat_id) === chatIds[index] && Number(origin?.sender_id) === senderId;
        return isNext ? stored[n++] : undefined;
      });
    },
  };
}

/** Returns a number for a pair of users, below 2^53 for ids below 2^26. */
const pairKey = (one: number, other: number): number => Math.min(one, other) * 2 ** 26 + Math.max(one, other);
