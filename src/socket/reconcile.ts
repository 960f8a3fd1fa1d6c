import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { claimStands, claims, claimsOf } from '../auth/standing.ts';
import type { Bus, Place, Topic } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import type { MessageDraft } from '../messages/drafts.ts';
import { topicsOf } from '../messages/publishMessage.ts';
import type { Connection } from './Connection.ts';
import { type Connections, chatTopic, type KnownMembership, userTopic } from './Connections.ts';

/** Keeps the live connections of a node as the database says that they are. */
export interface Reconciler {
  /** Compares all connections now, and again until that has succeeded. */
  all(): void;
  /** The same for those of one user. */
  user(userId: UserId): void;
  /** Publishes what was committed of messages of which that is not known. */
  messages(drafts: readonly MessageDraft[], chatIds: readonly (ChatId | null)[]): void;
  close(): void;
}

/** Milliseconds between two rounds, spread by chance so that nodes do not ask at the same time. */
const ROUND = { min: 30_000, max: 60_000 };
/** Users that one statement compares, and milliseconds between two of them when nothing is known to be wrong. */
const SLICE = 500;
const SLICE_PAUSE = 50;
/** Milliseconds before a comparison that failed is tried again. */
const RETRY = 1_000;
/** Seconds by which a message may have been committed later than its time says: longer than any statement runs. */
const LATE = 60;
/** Seconds between the searches for a message of unknown outcome: a statement that was cut off may be committed late. */
const LOOKS = [0, 1, 2, 4, 8, 16];
/** Messages that are searched for at most. */
const MAX_UNKNOWN = 10_000;

/**
 * A net below the messages between nodes: whatever was lost, by a fault of NATS, of the database or of a node, is found
 * by comparing the live connections (tokens, memberships, heads of chats, blocks) with the database.
 */
export function createReconciler(
  db: Database,
  bus: Bus,
  connections: Connections,
  log: Logger,
  { min, max } = ROUND,
): Reconciler {
  const closed = new AbortController();
  const { signal } = closed;
  const users = new Set<UserId>();
  /** Messages of which it is not known whether they were committed. */
  const unknown = new Map<string, UnknownMessage>();
  let looking: AbortController | undefined;
  /** Time of the database at which the last complete round began: older messages were compared. */
  let since: string | null = null;
  let isUrgent = false;
  let wake = () => {};

  void run();

  return {
    all() {
      isUrgent = true;
      wake();
    },
    user(userId) {
      users.add(userId);
      wake();
    },
    messages(drafts, chatIds) {
      for (const [index, draft] of drafts.entries()) {
        const chatId = chatIds[index];
        if (chatId == null) continue;
        // What follows it must wait, where it is not known how far the chat was delivered.
        for (const topic of topicsOf(draft))
          if (bus.position(topic, chatId) === undefined)
            bus.catchUp(topic, { chatId, seq: Number.POSITIVE_INFINITY });
        // One of several without a clientMessageId is enough to find the chat.
        const { senderId, clientMessageId, origin } = draft;
        unknown.set(`${chatId} ${senderId} ${clientMessageId ?? ''}`, {
          ...{ chatId, senderId, clientMessageId, origin },
          topics: topicsOf(draft),
        });
        if (unknown.size > MAX_UNKNOWN) unknown.delete(unknown.keys().next().value as string); // rounds find it
      }
      looking?.abort();
      const search = new AbortController();
      looking = search;
      lookForMessages(AbortSignal.any([signal, search.signal])).then(
        () => looking === search && unknown.clear(),
        () => {}, // aborted: by the next search, or at the end
      );
    },
    close() {
      closed.abort();
      wake();
    },
  };

  async function run(): Promise<void> {
    let nextRound = performance.now() + min;
    while (!signal.aborted) {
      const isDue = isUrgent || performance.now() >= nextRound;
      try {
        if (isDue) {
          const next = performance.now() + min + Math.random() * (max - min);
          await round();
          nextRound = next;
        } else if (users.size > 0) await named();
        else await pause(nextRound - performance.now());
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error }, 'connections could not be compared with the database; trying again');
        isUrgent ||= isDue;
        await pause(RETRY, false);
      }
    }
  }

  /** Waits, as long as nobody wants something at once. */
  async function pause(milliseconds: number, canWake = true): Promise<void> {
    const ended = new AbortController();
    wake = canWake ? () => ended.abort() : () => {};
    if (signal.aborted) return;
    await delay(Math.max(0, milliseconds), undefined, { signal: ended.signal, ref: false }).catch(() => {});
    wake = () => {};
  }

  async function named(): Promise<void> {
    const wanted = [...users];
    users.clear();
    try {
      await compare(wanted.map((userId) => [userId, connections.ofUser(userId)]));
    } catch (error) {
      for (const userId of wanted) users.add(userId);
      throw error;
    }
  }

  async function round(): Promise<void> {
    const wasUrgent = isUrgent;
    isUrgent = false;
    const [now] = await db.select<{ at: string }>('select clock_timestamp()::text as at', []);
    const all = [...connections.listening()];
    for (let start = 0; start < all.length && !signal.aborted; start += SLICE) {
      if (start > 0 && !wasUrgent && !isUrgent) await pause(SLICE_PAUSE, false);
      if (users.size > 0) await named(); // nobody who is asked for waits for the round
      await compare(all.slice(start, start + SLICE));
    }
    since = now?.at ?? null;
  }

  async function compare(slice: readonly (readonly [UserId, readonly Connection[]])[]): Promise<void> {
    const open = slice.flatMap(([, own]) => own);
    await endRevoked(open);
    await compareChats(slice);
    await hideBlocked(open.filter(({ watched }) => watched.size > 0));
  }

  async function endRevoked(open: readonly Connection[]): Promise<void> {
    const bind = [JSON.stringify(open.map(({ id, session }) => claimsOf(id, session)))];
    const revoked = new Set((await db.select<{ id: ConnectionId }>(revokedTokens, bind)).map(({ id }) => id));
    for (const connection of open) if (revoked.has(connection.id)) connections.revoke(connection);
  }

  async function compareChats(slice: readonly (readonly [UserId, readonly Connection[]])[]): Promise<void> {
    const listening = slice.flatMap(([userId, own]) => {
      const live = own.filter(({ isListening, isLeaving, ended }) => isListening && !isLeaving && !ended);
      return live.length > 0 ? [{ userId, live }] : [];
    });
    const asked = listening.map(({ userId, live }) => ({ id: userId, snapshot: live[0]?.snapshot ?? null }));
    const rows = await db.select<ChatsRow>(chatsOfUsers, [JSON.stringify(asked), since, LATE]);
    const rowOf = new Map(rows.map((row) => [row.userId, row]));
    for (const { userId, live } of listening) {
      const row = rowOf.get(userId);
      if (!row) continue;
      for (const head of headsOf(row.groupHeads)) bus.catchUp(chatTopic(head.chatId), head);
      for (const head of headsOf(row.dialogHeads)) bus.catchUp(userTopic(userId), head);
      const still = live.filter(({ isListening, isLeaving }) => isListening && !isLeaving);
      if (still.some(({ groups }) => fingerprint(groups) !== row.groups)) await correct(userId, still);
    }
  }

  /** Sets right in which groups a user is here, each in the order of its chat. */
  async function correct(userId: UserId, live: readonly Connection[]): Promise<void> {
    const known = [...new Set(live.flatMap(({ groups }) => [...groups.keys()]))];
    const inAll = known.filter((chatId) => live.every(({ groups }) => groups.has(chatId)));
    const bind = [userId, JSON.stringify(known), JSON.stringify(inAll)];
    const before = live.map(({ changes }) => changes);
    const rows = await db.select<KnownMembership & { isLong: boolean }>(membershipsOfUser, bind);
    if (live.some(({ changes }, at) => changes !== before[at])) {
      users.add(userId); // what was read may be older than what was delivered meanwhile
      return;
    }
    for (const row of rows)
      if (row.isLong)
        connections.resynchronise(live, 'Too much was missed to push it; connect again and synchronise');
      else connections.setMembership(userId, row);
  }

  /** Ends what connections watch of the presence of those who block, or are blocked. */
  async function hideBlocked(watching: readonly Connection[]): Promise<void> {
    if (watching.length === 0) return;
    const ids = [...new Set(watching.map(({ session }) => session.userId))];
    const hidden = new Map<UserId, UserId[]>();
    for (const { userId, other } of await db.select<Block>(blocksOfUsers, [JSON.stringify(ids)]))
      hidden.set(userId, [...(hidden.get(userId) ?? []), other]);
    for (const { id, session } of watching) connections.unwatch(id, hidden.get(session.userId) ?? []);
  }

  async function lookForMessages(until: AbortSignal): Promise<void> {
    for (const seconds of LOOKS) {
      await delay(seconds * 1000, undefined, { signal: until, ref: false });
      for (let isDone = false; !isDone; )
        try {
          await publishCommitted([...unknown.values()]);
          isDone = true;
        } catch (error) {
          log.debug({ err: error }, 'messages of unknown outcome could not be read; trying again');
          await delay(RETRY, undefined, { signal: until, ref: false });
        }
    }
  }

  /** Tells every node how far the chats of these messages are. */
  async function publishCommitted(messages: readonly UnknownMessage[]): Promise<void> {
    const names = messages.map(({ chatId, senderId, clientMessageId }) => ({
      chat: chatId,
      sender: senderId,
      name: clientMessageId,
    }));
    for (const { at, head, own } of await db.select<Committed>(committedMessages, [JSON.stringify(names)])) {
      const { topics, chatId, origin } = messages[at] as UnknownMessage;
      for (const topic of topics) {
        // Who sends it again gets a reply for it.
        if (own !== null) bus.catchUp(topic, { chatId, seq: own }, origin);
        bus.publishHead(topic, { chatId, seq: head });
      }
    }
  }
}

interface UnknownMessage extends Pick<MessageDraft, 'senderId' | 'clientMessageId' | 'origin'> {
  readonly chatId: ChatId;
  readonly topics: readonly Topic[];
}

/** Groups and the oldest messages that may be seen of them, as the database writes them, too. */
const fingerprint = (groups: ReadonlyMap<ChatId, number>): string =>
  [...groups]
    .sort(([one], [other]) => one - other)
    .map(([chatId, firstSeq]) => `${chatId}:${firstSeq}`)
    .join();

const revokedTokens = `
select claim.id from ${claims} where not exists (select from users where ${claimStands})
`;

interface ChatsRow {
  readonly userId: UserId;
  /** As {@link fingerprint} writes them. */
  readonly groups: string;
  /** What was written in since the last round and how far it is: `id:seq,id:seq`. */
  readonly groupHeads: string;
  readonly dialogHeads: string;
}

const headsOf = (text: string): Place[] =>
  text === ''
    ? []
    : text.split(',').map((head) => {
        const [chatId = 0, seq = 0] = head.split(':').map(Number);
        return { chatId, seq };
      });

/**
 * $1 users, each with the snapshot after which they listen, $2 since when messages are asked for, with $3 seconds more;
 * null: those of the last two minutes. Of dialogs only those whose newest message was not visible to the snapshot.
 * Look-ups by key, so that a slice costs the same whatever others have stored.
 */
const chatsOfUsers = `
select wanted.id as "userId", own.groups, own."groupHeads", own."dialogHeads"
from jsonb_to_recordset($1::jsonb) as wanted (id bigint, snapshot text)
cross join lateral (
  select
    coalesce(string_agg(chat_id || ':' || first_seq, ',' order by chat_id) filter (where kind = 'group'), '') as groups,
    coalesce(string_agg(chat_id || ':' || last_seq, ',') filter (where kind = 'group' and is_recent), '') as "groupHeads",
    coalesce(string_agg(chat_id || ':' || last_seq, ',') filter (
      where kind = 'dialog' and is_recent and not exists (
        select from messages where messages.chat_id = member.chat_id and seq = last_seq
          and pg_visible_in_snapshot(xid, wanted.snapshot::pg_snapshot)
      )
    ), '') as "dialogHeads"
  from chat_members member
  cross join lateral (
    select kind, last_seq, last_message_at > coalesce($2::timestamptz, clock_timestamp() - interval '2 minutes')
      - make_interval(secs => $3) as is_recent
    from chats where id = member.chat_id limit 1
  ) chat
  where member.user_id = wanted.id
) own
`;

/**
 * What the database says of the user $1 in the groups that the user is in, or is taken to be in ($2): where each was,
 * the oldest message to be seen, and for those that not all connections are in ($3 are) the newest message from before
 * the user joined, unless more than a thousand came since.
 */
const membershipsOfUser = `
select chats.id as "chatId", chats.last_seq as seq, member.first_seq as "firstSeq",
  case when is_new then coalesce(joined.before, 0) end as before,
  is_new and joined.before is null and chats.last_seq > 1000 as "isLong"
from (
  select chat_id from chat_members where user_id = $1
  union
  select value::bigint from jsonb_array_elements_text($2::jsonb)
) named
join chats on chats.id = named.chat_id and chats.kind = 'group'
left join chat_members member on member.chat_id = chats.id and member.user_id = $1
cross join lateral (
  select member.user_id is not null and not $3::jsonb @> to_jsonb(chats.id) as is_new
) state
left join lateral (
  select max(seq) as before
  from (select seq, created_at from messages where is_new and chat_id = chats.id order by seq desc limit 1000) newest
  where created_at < member.joined_at
) joined on true
`;

interface Block {
  readonly userId: UserId;
  readonly other: UserId;
}

/** Who is blocked by, or blocks, the users $1. */
const blocksOfUsers = `
with wanted as (select value::bigint as id from jsonb_array_elements_text($1::jsonb))
select user_id as "userId", blocked_id as other from wanted join blocks on user_id = id
union all
select blocked_id, user_id from wanted join blocks on blocked_id = id
`;

interface Committed {
  /** Which of the messages. */
  readonly at: number;
  readonly head: number;
  /** Where it is, if it is known by its clientMessageId. */
  readonly own: number | null;
}

/** $1 messages: chat, sender and clientMessageId, if there is one. */
const committedMessages = `
select (wanted.ord - 1)::int as at, chats.last_seq as head, (
  select seq from messages
  where sender_id = (value->>'sender')::bigint and client_message_id = value->>'name' and chat_id = chats.id
) as own
from jsonb_array_elements($1::jsonb) with ordinality as wanted (value, ord)
join chats on chats.id = (value->>'chat')::bigint
`;
