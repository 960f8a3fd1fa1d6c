import type { Transaction } from 'sequelize';
import type { ChatPosition, MembershipChange, OrderedPublisher, Publisher } from '../bus/bus.ts';
import { chatTopic, userTopic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { ChatMember, Role } from '../database/models/ChatMember.ts';
import type { User } from '../database/models/User.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { ApiError, LimitError } from '../protocol/errors.ts';
import { encodePush, type Fields } from '../protocol/frames.ts';
import type { ActingUser } from '../users/actingUser.ts';
import { nameOf } from '../users/names.ts';
import { openGroup } from './membership.ts';
import {
  type GroupWriter,
  type StoredSystemMessage,
  type SystemMessage,
  systemMessageOf,
  type WriteSystemMessage,
} from './systemMessage.ts';

/** The context of a change of a group. */
export interface GroupChange {
  readonly transaction: Transaction;
  /** Locked against messages and other changes on all nodes. */
  readonly group: Chat;
  /** The acting user, and their membership, if any. */
  readonly actor: Pick<User, 'id' | 'username'>;
  readonly membership: GroupMembership | null;
  /** Returns the membership; refuses with `NOT_A_MEMBER` if there is none. */
  member(): GroupMembership;
}

type GroupMembership = Pick<ChatMember, 'userId' | 'role'>;

/** The result of a change, which is stored as a system message and pushed. */
export interface GroupEvent {
  /** A sentence for people. */
  readonly content: string;
  /** Fields of the push in addition to `groupId` and `senderId`, and the `event` in the history. */
  readonly fields: Fields;
  readonly joined?: readonly UserId[];
  /** Users who leave; this push is the last one for them. */
  readonly left?: readonly UserId[];
  /** True if the group ends; this push is the last one for all members. */
  readonly closes?: true;
}

/** The user who changes a group, and what runs the change in its turn. */
export interface GroupActor extends ActingUser {
  readonly writer: GroupWriter;
  /** True if the account is already deleted and leaves its groups. */
  readonly isDeleted?: boolean;
}

/**
 * Changes a group in order with its messages. `change` checks and writes within the transaction and returns the event,
 * or undefined if nothing had to change. The system message is committed in the same transaction and pushed to the
 * members with the type of the command; users join and leave at its `seq`. Resolves to the fields of the system
 * message, empty if nothing changed.
 */
export async function changeGroup<Event extends GroupEvent | undefined>(
  { session: { userId }, origin, writer, bus, db, isDeleted }: GroupActor,
  type: string,
  groupId: ChatId,
  change: (group: GroupChange) => Promise<Event>,
): Promise<undefined extends Event ? Partial<SystemMessage> : SystemMessage> {
  const work = async (transaction: Transaction, write: WriteSystemMessage) => {
    const group = await openGroup(db, groupId, transaction, true);
    const [row] = await db.query<ActorRow>(actorIn, [userId, groupId], transaction);
    if (!row || (row.isDeleted && !isDeleted)) throw new ApiError('NOT_FOUND', `There is no user ${userId}`);
    const actor = { id: userId, username: row.username };
    const membership = row.role && { userId, role: row.role };
    const member = () => {
      if (!membership) throw new ApiError('NOT_A_MEMBER');
      return membership;
    };
    const event = await change({ transaction, group, actor, membership, member });
    if (!event) return undefined;

    const changes = membershipChanges(event, group);
    const stored = await write({
      groupId,
      senderId: userId,
      senderName: nameOf(actor),
      content: event.content,
      custom: { type, ...event.fields, ...(changes && { membership: changes }) },
      members: (event.joined?.length ?? 0) - (event.left?.length ?? 0),
      closes: event.closes,
    });
    return { event, stored, changes };
  };

  const done = await writer.change(origin, groupId, work, (committed) => {
    if (!committed) return;
    const { event, stored, changes } = committed;
    const push = { type, senderId: userId, groupId, content: event.content, fields: event.fields };
    const frame = encodeSystemPush(stored, push);
    publishGroupMessage(
      bus,
      { chatId: groupId, seq: stored.seq },
      { frame, except: origin, membership: changes },
    );
  });
  // Empty only if the return type allows it.
  return done ? systemMessageOf(done.stored) : ({} as SystemMessage);
}

interface ActorRow extends Pick<User, 'username'> {
  readonly isDeleted: boolean;
  /** Null without a membership. */
  readonly role: Role | null;
}

/** Reads the user $1 and their role in the group $2, both by primary key. */
const actorIn = `
select username, deleted_at is not null as "isDeleted",
  (select role from chat_members where chat_id = $2 and user_id = users.id) as role
from users where id = $1
`;

/** Encodes the push of a system message, with the same `event` as in the history. */
export function encodeSystemPush(
  stored: StoredSystemMessage,
  push: {
    readonly type: string;
    readonly senderId: UserId;
    readonly groupId: ChatId;
    readonly content: string;
    readonly fields: Fields;
  },
): string {
  const { type, senderId, groupId, content, fields } = push;
  const all = { ...systemMessageOf(stored), senderId, groupId, event: { type, ...fields }, ...fields };
  return encodePush(type, content, stored.senderName, all);
}

/**
 * Resolves when this node has delivered everything before a system message of a group, so that a user who leaves with
 * that message receives nothing from the group after the reply.
 */
export function deliveredBefore(
  bus: OrderedPublisher,
  chatId: ChatId,
  { seq }: SystemMessage,
): Promise<void> {
  return new Promise((resolve) => bus.after(chatTopic(chatId), { chatId, seq: seq - 1 }, resolve));
}

/** Returns the membership change of an event, as stored in the system message. */
function membershipChanges(
  { joined, left, closes }: GroupEvent,
  { historyFrom, lastSeq }: Chat,
): MembershipChange | undefined {
  if (closes) return { closes };
  if (left) return { left };
  return joined && { joined, ...(historyFrom === 'joining' && { firstSeq: lastSeq + 1 }) };
}

/** Publishes a system message with its membership change. */
export function publishGroupMessage(
  bus: Publisher,
  position: ChatPosition,
  push: { frame: string; except: ConnectionId; membership: MembershipChange | undefined },
): void {
  announceMembers(bus, position, push.membership?.joined ?? []);
  bus.publish(chatTopic(position.chatId), { ...push, position });
}

/** Makes the nodes of new members follow a group from the position at which they joined. */
export function announceMembers(bus: Publisher, position: ChatPosition, joined: readonly UserId[]): void {
  for (const id of joined) bus.publish(userTopic(id), { signal: { kind: 'joined', ...position } });
}

/** The database and the limits with which members are inserted. */
export interface MemberLimits {
  readonly db: Database;
  readonly limits: Pick<Limits, 'membersPerGroup' | 'groupsPerUser'>;
}

/**
 * Inserts members into the group of a change; refuses with `FORBIDDEN` if the group, or one of the users, has reached
 * its limit.
 */
export async function insertMembers(
  { db, limits: { membersPerGroup, groupsPerUser } }: MemberLimits,
  { transaction, group }: Pick<GroupChange, 'transaction' | 'group'>,
  userIds: readonly UserId[],
  role: Role = 'member',
): Promise<void> {
  if (group.memberCount + userIds.length > membersPerGroup)
    throw new LimitError('members', 'FORBIDDEN', `A group has at most ${membersPerGroup} members`);
  const requested = JSON.stringify(userIds);
  const [full] = await db.query<{ id: UserId }>(inManyGroups, [requested, groupsPerUser], transaction);
  if (full) throw new LimitError('groups', 'FORBIDDEN', `User ${full.id} is in the maximum number of groups`);
  await db.execute(memberInsertion, [group.id, requested, role], transaction);
}

/**
 * Finds one of the users $1 who is in $2 groups, if any. Most users are in fewer chats, which the index on user_id
 * shows; only for the others the chats are read.
 */
const inManyGroups = `
select requested::bigint as id from jsonb_array_elements_text($1::jsonb) requested
where (
  select count(*) from (select from chat_members where user_id = requested::bigint limit $2) chats
) >= $2 and (
  select count(*) from (
    select from chat_members member
    cross join lateral (
      select from chats where id = member.chat_id and kind = 'group' and closed_at is null limit 1
    ) own
    where member.user_id = requested::bigint
    limit $2
  ) groups
) >= $2
limit 1
`;

/** Inserts members, for whom earlier messages count as read. */
const memberInsertion = `
with joining as (
  select jsonb_array_elements_text($2::jsonb)::bigint as id
), returning_members as (
  delete from former_members using joining where chat_id = $1 and user_id = joining.id
)
insert into chat_members (chat_id, user_id, role, read_seq, delivered_seq, read_tally, first_seq)
select chats.id, joining.id, $3, last_seq, last_seq, tally, case history_from when 'joining' then last_seq + 1 else 1 end
from chats, joining where chats.id = $1
`;

/** Removes members from the group of a change. */
export async function removeMembers(
  { db }: Pick<ActingUser, 'db'>,
  { transaction, group }: Pick<GroupChange, 'transaction' | 'group'>,
  ...userIds: readonly UserId[]
): Promise<void> {
  await db.execute(memberRemoval, [group.id, JSON.stringify(userIds)], transaction);
}

const memberRemoval = `
with removed as (
  delete from chat_members where chat_id = $1 and user_id = any (array(select jsonb_array_elements_text($2::jsonb)::bigint))
  returning chat_id, user_id
)
insert into former_members (chat_id, user_id, left_seq)
select chat_id, user_id, last_seq + 1 from removed join chats on chats.id = chat_id
on conflict (chat_id, user_id) do update
set xid = pg_current_xact_id(), left_at = clock_timestamp(), left_seq = excluded.left_seq
`;
