import type { Transaction } from 'sequelize';
import type { Publisher } from '../bus/bus.ts';
import { chatTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { ChatId, UserId } from '../ids.ts';
import { encodePush } from '../protocol/frames.ts';
import { nameOf } from './names.ts';

/** Chats in which a new name is pushed, those with the newest messages first; others find it with `sync`. */
const MAX_CHATS = 1_000;

/** Encodes the push of a profile as it is now; of a deleted account nothing is left but the name "Deleted user". */
export function encodeProfile(user: User): string {
  const { id: userId, displayName, about, avatar, custom } = user;
  const fields = { userId, username: nameOf(user), displayName, about, avatar, custom };
  return encodePush('updateProfile', null, nameOf(user), fields);
}

/** Names the profile of a user, for changes of it to go one after another. */
export function profileOf(userId: UserId): string {
  return `profile:${userId}`;
}

/** A chat that shows the name of a user: one that the user is in, or a group that the user has left. */
export interface NamingChat {
  readonly chatId: ChatId;
  /** The newest message: later ones have the new name. */
  readonly head: number;
  /** Of a group that the user has left: the newest message that may have their name. */
  readonly seq: number | null;
  /** The other person of a dialog; null for a group. */
  readonly otherId: UserId | null;
}

/** Returns the chats that a new name of a user is to be pushed in. */
export function chatsNaming(db: Database, userId: UserId, transaction: Transaction): Promise<NamingChat[]> {
  return db.query<NamingChat>(namingChats, [userId, MAX_CHATS], transaction);
}

/**
 * Publishes what a user is called now: to their own connections, and behind the messages that have the old name to
 * everybody in these chats; in groups no more than the name, however long the rest of the profile is. Who shares several
 * chats with the user gets it several times.
 */
export function publishName(bus: Publisher, user: User, chats: readonly NamingChat[]): void {
  const username = nameOf(user);
  const profile = encodeProfile(user);
  const name = encodePush('updateProfile', null, username, { userId: user.id, username });
  bus.publish(userTopic(user.id), { frame: profile });
  for (const { chatId, head, seq, otherId } of chats) {
    const topic: Topic = otherId === null ? chatTopic(chatId) : userTopic(otherId);
    const about = { chatId, head, ...(seq !== null && { seq }) };
    const frame = otherId === null ? name : profile;
    bus.publish(topic, { frame, exceptUsers: [user.id], about });
  }
}

/** From the memberships of the user $1 to their chats by a list of ids, and from former ones by key; $2 how many. */
const namingChats = `
select chat.id as "chatId", chat.last_seq as head, chat.seq, chat.user_low + chat.user_high - $1 as "otherId"
from (
  select chats.*, null::bigint as seq from chats
  where id = any (array(select chat_id from chat_members where user_id = $1))
  union all
  select chats.*, left_seq
  from former_members former
  cross join lateral (select * from chats where id = former.chat_id limit 1) chats
  where former.user_id = $1
) chat
where closed_at is null and last_seq > 0 and (kind = 'group' or user_low <> user_high)
order by last_message_at desc
limit $2
`;
