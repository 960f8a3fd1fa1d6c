import type { Transaction } from 'sequelize';
import type { Publisher } from '../bus/bus.ts';
import { chatTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { ChatId, UserId } from '../ids.ts';
import { encodePush } from '../protocol/frames.ts';
import { nameOf } from './names.ts';
import { otherInSql } from './pairs.ts';

/**
 * Chats in which a new name is pushed, those with the newest messages first; members of other chats receive it with
 * `sync`.
 */
const MAX_CHATS = 1_000;

/** Encodes the push of the current profile, which for a deleted account is only the name "Deleted user". */
export function encodeProfile(user: User): string {
  const { id: userId, displayName, about, avatar, custom, profileVersion: version } = user;
  const fields = { userId, username: nameOf(user), displayName, about, avatar, custom, version };
  return encodePush('updateProfile', null, nameOf(user), fields);
}

/** Publishes the current profile of a user to their contacts. */
export function publishProfile(bus: Publisher, user: User, contacts: readonly UserId[]): void {
  const frame = encodeProfile(user);
  for (const contactId of contacts) bus.publish(userTopic(contactId), { frame });
}

/** Returns the queue key for changes of the profile of a user. */
export function profileOf(userId: UserId): string {
  return `profile:${userId}`;
}

/** A chat that shows the name of a user: a chat of the user, or a group that the user has left. */
export interface NamingChat {
  readonly chatId: ChatId;
  /** The newest message: later ones have the new name. */
  readonly head: number;
  /** In a group that the user has left, the newest message that may contain their name. */
  readonly seq: number | null;
  /** The other person of a dialog; null for a group. */
  readonly otherId: UserId | null;
}

/** Returns the chats in which a new name of a user is pushed. */
export function chatsNaming(db: Database, userId: UserId, transaction: Transaction): Promise<NamingChat[]> {
  return db.query<NamingChat>(namingChats, [userId, MAX_CHATS], transaction);
}

/**
 * Publishes the current name of a user to their own connections and, after the messages with the old name, to the
 * members of chats. Groups receive only the name, to keep the push small. A user who shares several chats receives it
 * several times.
 */
export function publishName(bus: Publisher, user: User, chats: readonly NamingChat[]): void {
  const username = nameOf(user);
  const profile = encodeProfile(user);
  const { id: userId, profileVersion: version } = user;
  const name = encodePush('updateProfile', null, username, { userId, username, version });
  bus.publish(userTopic(userId), { frame: profile });
  for (const { chatId, head, seq, otherId } of chats) {
    const topic: Topic = otherId === null ? chatTopic(chatId) : userTopic(otherId);
    const about = { chatId, head, ...(seq !== null && { seq }) };
    const frame = otherId === null ? name : profile;
    bus.publish(topic, { frame, exceptUsers: [userId], about });
  }
}

/** Reads the chats of the user $1 by a list of ids, and those of former memberships by key; $2 is the limit. */
const namingChats = `
select chat.id as "chatId", chat.last_seq as head, chat.seq, ${otherInSql('chat', '$1')} as "otherId"
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
