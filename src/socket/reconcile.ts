import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { claimsOf } from '../auth/tokenValidity.ts';
import type { Bus, ChatPosition } from '../bus/bus.ts';
import { chatTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import { levelOf } from '../database/failures.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import type { MessageDraft } from '../messages/drafts.ts';
import { topicsOf } from '../messages/publishMessage.ts';
import type { CompactMap } from './CompactMap.ts';
import type { Connection } from './Connection.ts';
import type { Connections, MembershipAt } from './Connections.ts';
import {
  type Block,
  blocksOfUsers,
  type ChatsRow,
  type Committed,
  chatsOfUsers,
  committedMessages,
  membershipsOfUser,
  revokedTokens,
} from './reconcile.sql.ts';

/** Compares the live connections of a node with the database, and repairs what differs. */
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
/** Users that one statement compares, fewer where they are in many groups together. */
const SLICE = 500;
const SLICE_GROUPS = 5_000;
/** Milliseconds between two slices when nothing is known to be wrong. */
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
        log[levelOf(error)](
          { err: error },
          'connections could not be compared with the database; trying again',
        );
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
      const all = wanted.map((userId): Compared => [userId, connections.ofUser(userId)]).values();
      for (let slice = takeSlice(all); slice.length > 0; slice = takeSlice(all)) await compare(slice);
    } catch (error) {
      for (const userId of wanted) users.add(userId);
      throw error;
    }
  }

  async function round(): Promise<void> {
    const wasUrgent = isUrgent;
    isUrgent = false;
    const [now] = await db.query<{ at: string }>('select clock_timestamp()::text as at', []);
    // Not all at once, which takes long where they are many; who comes meanwhile is among them.
    const all = connections.listening();
    for (let slice = takeSlice(all); slice.length > 0 && !signal.aborted; slice = takeSlice(all)) {
      if (users.size > 0) await named(); // nobody who is asked for waits for the round
      await compare(slice);
      if (!wasUrgent && !isUrgent) await pause(SLICE_PAUSE, false);
    }
    since = now?.at ?? null;
  }

  async function compare(slice: readonly Compared[]): Promise<void> {
    const open = slice.flatMap(([, own]) => own);
    await endRevoked(open);
    await compareChats(slice);
    await compareBlocks(open.filter(({ watching }) => watching !== undefined));
  }

  async function endRevoked(open: readonly Connection[]): Promise<void> {
    const bind = [JSON.stringify(open.map(({ id, session }) => claimsOf(id, session)))];
    const revoked = new Set((await db.query<{ id: ConnectionId }>(revokedTokens, bind)).map(({ id }) => id));
    for (const connection of open) if (revoked.has(connection.id)) connections.revoke(connection);
  }

  async function compareChats(slice: readonly Compared[]): Promise<void> {
    const listening = slice.flatMap(([userId, own]) => {
      const live = own.filter(
        ({ isSubscribed: isListening, isLeaving, ended }) => isListening && !isLeaving && !ended,
      );
      return live.length > 0 ? [{ userId, live }] : [];
    });
    const asked = listening.map(({ userId, live }) => ({ id: userId, snapshot: live[0]?.snapshot ?? null }));
    const rows = await db.query<ChatsRow>(chatsOfUsers, [JSON.stringify(asked), since, LATE]);
    const rowOf = new Map(rows.map((row) => [row.userId, row]));
    for (const { userId, live } of listening) {
      const row = rowOf.get(userId);
      if (!row) continue;
      for (const head of headsOf(row.groupHeads)) bus.catchUp(chatTopic(head.chatId), head);
      for (const head of headsOf(row.dialogHeads)) bus.catchUp(userTopic(userId), head);
      const still = live.filter(({ isSubscribed: isListening, isLeaving }) => isListening && !isLeaving);
      const own = groupsIn(row);
      if (still.some(({ groups }) => fingerprint(groups) !== own)) await correct(userId, still);
    }
  }

  /** Sets right in which groups a user is here, each in the order of its chat. */
  async function correct(userId: UserId, live: readonly Connection[]): Promise<void> {
    const known = [...new Set(live.flatMap(({ groups }) => groups.keys()))];
    const inAll = known.filter((chatId) => live.every(({ groups }) => groups.has(chatId)));
    const bind = [userId, JSON.stringify(known), JSON.stringify(inAll)];
    const before = live.map(({ changes }) => changes);
    const rows = await db.query<MembershipAt & { isLong: boolean }>(membershipsOfUser, bind);
    if (live.some(({ changes }, at) => changes !== before[at])) {
      users.add(userId); // what was read may be older than what was delivered meanwhile
      return;
    }
    for (const row of rows)
      if (row.isLong)
        connections.resynchronise(live, 'Too much was missed to push it; connect again and synchronise');
      else connections.setMembership(userId, row);
  }

  /** Sets right whose presence connections watch: not of those who block their user, or are blocked. */
  async function compareBlocks(watching: readonly Connection[]): Promise<void> {
    if (watching.length === 0) return;
    const ids = [...new Set(watching.map(({ session }) => session.userId))];
    const before = watching.map(({ hidings }) => hidings);
    const blocked = new Map<UserId, Set<UserId>>(ids.map((id) => [id, new Set()]));
    for (const { userId, other } of await db.query<Block>(blocksOfUsers, [JSON.stringify(ids)]))
      blocked.get(userId)?.add(other);
    for (const [at, connection] of watching.entries()) {
      const { userId } = connection.session;
      if (connection.hidings === before[at])
        connections.setHidden(connection, blocked.get(userId) ?? new Set());
      else users.add(userId); // what was read may be older than the block
    }
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
    for (const { at, head, own } of await db.query<Committed>(committedMessages, [JSON.stringify(names)])) {
      const { topics, chatId, origin } = messages[at] as UnknownMessage;
      for (const topic of topics) {
        // Who sends it again gets a reply for it.
        if (own !== null) bus.catchUp(topic, { chatId, seq: own }, origin);
        bus.publishHead(topic, { chatId, seq: head });
      }
    }
  }
}

/** A user and the connections of theirs that are compared with the database. */
type Compared = readonly [UserId, readonly Connection[]];

/** The next users, until they are enough for one statement. */
function takeSlice(users: Iterator<Compared>): Compared[] {
  const taken: Compared[] = [];
  let groups = 0;
  for (let next = users.next(); !next.done; next = users.next()) {
    groups += Math.max(0, ...next.value[1].map((connection) => connection.groups.size));
    if (taken.push(next.value) === SLICE || groups >= SLICE_GROUPS) break;
  }
  return taken;
}

interface UnknownMessage extends Pick<MessageDraft, 'senderId' | 'clientMessageId' | 'origin'> {
  readonly chatId: ChatId;
  readonly topics: readonly Topic[];
}

/** Groups and the oldest messages that may be seen of them, as the database writes them, too. */
const fingerprint = (groups: CompactMap<ChatId>): string =>
  [...groups].map(([chatId, firstSeq]) => `${chatId}:${firstSeq}`).join();

/** The memberships that are of groups. */
function groupsIn({ memberships, groups }: ChatsRow): string {
  const ids = new Set(groups.split(','));
  return memberships
    .split(',')
    .filter((membership) => ids.has(membership.slice(0, membership.indexOf(':'))))
    .join();
}

const headsOf = (text: string): ChatPosition[] =>
  text === ''
    ? []
    : text.split(',').map((head) => {
        const [chatId = 0, seq = 0] = head.split(':').map(Number);
        return { chatId, seq };
      });
