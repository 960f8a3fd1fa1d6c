import { claimsOf } from '../auth/tokenValidity.ts';
import type { Bus, ChatPosition } from '../bus/bus.ts';
import { chatTopic, userTopic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import type { CompactMap } from './CompactMap.ts';
import type { Connection } from './Connection.ts';
import type { Connections } from './Connections.ts';
import type { MembershipAt } from './GroupSubscriptions.ts';
import {
  type Block,
  blocksOfUsers,
  type ChatsRow,
  chatsOfUsers,
  membershipsOfUser,
  revokedTokens,
} from './reconcile.sql.ts';
import type { UserConnections } from './slices.ts';

/** Seconds by which a message may have been committed later than its time says: longer than any statement runs. */
const LATE = 60;

/** One comparison of connections with the database, step by step. */
export class Comparison {
  readonly #db: Database;
  readonly #bus: Bus;
  readonly #connections: Connections;
  /** Users to compare again: what was read of them may be older than what was delivered since. */
  readonly #again: Set<UserId>;

  constructor(db: Database, bus: Bus, connections: Connections, again: Set<UserId>) {
    this.#db = db;
    this.#bus = bus;
    this.#connections = connections;
    this.#again = again;
  }

  /** Compares a slice of users; messages from before `since` (by the clock of the database) were compared already. */
  async run(slice: readonly UserConnections[], since: string | null): Promise<void> {
    const connections = slice.flatMap(([, own]) => own);
    await this.#endRevoked(connections);
    await this.#compareChats(slice, since);
    await this.#compareBlocks(connections.filter(({ watching }) => watching !== undefined));
  }

  async #endRevoked(connections: readonly Connection[]): Promise<void> {
    const bind = [JSON.stringify(connections.map(({ id, session }) => claimsOf(id, session)))];
    const rows = await this.#db.query<{ id: ConnectionId }>(revokedTokens, bind);
    const revoked = new Set(rows.map(({ id }) => id));
    for (const connection of connections)
      if (revoked.has(connection.id)) this.#connections.revoke(connection);
  }

  async #compareChats(slice: readonly UserConnections[], since: string | null): Promise<void> {
    const following = slice.flatMap(([userId, own]) => {
      const live = own.filter(({ isFollowing }) => isFollowing);
      return live.length > 0 ? [{ userId, live }] : [];
    });
    const asked = following.map(({ userId, live }) => ({ id: userId, snapshot: live[0]?.snapshot ?? null }));
    const rows = await this.#db.query<ChatsRow>(chatsOfUsers, [JSON.stringify(asked), since, LATE]);
    const rowOf = new Map(rows.map((row) => [row.userId, row]));
    for (const { userId, live } of following) {
      const row = rowOf.get(userId);
      if (!row) continue;
      for (const head of headsOf(row.groupHeads)) this.#bus.catchUp(chatTopic(head.chatId), head);
      for (const head of headsOf(row.dialogHeads)) this.#bus.catchUp(userTopic(userId), head);
      const still = live.filter(({ isFollowing }) => isFollowing);
      const own = groupsIn(row);
      if (still.some(({ groups }) => fingerprint(groups) !== own)) await this.#correctGroups(userId, still);
    }
  }

  /** Corrects the groups in which a user is here, each in the order of its chat. */
  async #correctGroups(userId: UserId, live: readonly Connection[]): Promise<void> {
    const known = [...new Set(live.flatMap(({ groups }) => groups.keys()))];
    const inAll = known.filter((chatId) => live.every(({ groups }) => groups.has(chatId)));
    const bind = [userId, JSON.stringify(known), JSON.stringify(inAll)];
    const before = live.map(({ membershipChanges }) => membershipChanges);
    const rows = await this.#db.query<MembershipAt & { isLong: boolean }>(membershipsOfUser, bind);
    if (live.some(({ membershipChanges }, at) => membershipChanges !== before[at])) {
      this.#again.add(userId);
      return;
    }
    for (const row of rows)
      if (row.isLong)
        this.#connections.resynchronise(live, 'Too many messages were missed; reconnect and synchronise');
      else this.#connections.groups.setMembership(userId, row);
  }

  /** Corrects the users whose presence connections watch: it is hidden where either blocks the other. */
  async #compareBlocks(watching: readonly Connection[]): Promise<void> {
    if (watching.length === 0) return;
    const ids = [...new Set(watching.map(({ session }) => session.userId))];
    const before = watching.map(({ timesHidden }) => timesHidden);
    const blocked = new Map<UserId, Set<UserId>>(ids.map((id) => [id, new Set()]));
    for (const { userId, other } of await this.#db.query<Block>(blocksOfUsers, [JSON.stringify(ids)]))
      blocked.get(userId)?.add(other);
    for (const [at, connection] of watching.entries()) {
      const { userId } = connection.session;
      if (connection.timesHidden === before[at])
        this.#connections.presence.setHidden(connection, blocked.get(userId) ?? new Set());
      else this.#again.add(userId);
    }
  }
}

/** Returns groups and the oldest messages that may be seen of them, in the form in which the database writes them. */
const fingerprint = (groups: CompactMap<ChatId>): string =>
  [...groups].map(([chatId, firstSeq]) => `${chatId}:${firstSeq}`).join();

/** Returns the memberships that are of groups. */
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
        return { chatId: chatId as ChatId, seq };
      });
