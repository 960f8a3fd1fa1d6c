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

/** What a change of a group is made in. */
export interface GroupChange {
  readonly transaction: Transaction;
  /** Locked: nobody writes to it or changes it meanwhile, on no node. */
  readonly group: Chat;
  /** Who acts, and whose place in the group it is, if any. */
  readonly actor: Pick<User, 'id' | 'username'>;
  readonly membership: GroupMembership | null;
  /** The same, for what only members may do: refuses with `NOT_A_MEMBER`. */
  member(): GroupMembership;
}

type GroupMembership = Pick<ChatMember, 'userId' | 'role'>;

/** What changed, to be kept as a system message and pushed. */
export interface GroupEvent {
  /** A sentence for people. */
  readonly content: string;
  /** Stand beside `groupId` and `senderId` in the push, and as `event` in the history. */
  readonly fields: Fields;
  readonly joined?: readonly UserId[];
  /** This push is the last for them. */
  readonly left?: readonly UserId[];
  /** The group ends with this, and it is the last push for all. */
  readonly closes?: true;
}

/** The user who changes a group, and what runs the change in its turn. */
export interface GroupActor extends ActingUser {
  readonly writer: GroupWriter;
  /** The account is deleted already, and leaves. */
  readonly isDeleted?: boolean;
}

/**
 * Changes a group in its turn among the messages: `change` checks and changes within the transaction and returns what
 * happened, or nothing when all was as wanted already. The system message is committed with it and pushed to the
 * members with the command's type; who joins or leaves does so in its place in the order of the chat. Resolves to where
 * the system message stands; empty when nothing changed.
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
  // Empty only where the type says that it may be.
  return done ? systemMessageOf(done.stored) : ({} as SystemMessage);
}

interface ActorRow extends Pick<User, 'username'> {
  readonly isDeleted: boolean;
  /** Null for who is no member. */
  readonly role: Role | null;
}

/** The user $1, and the role in the group $2: both by primary keys. */
const actorIn = `
select username, deleted_at is not null as "isDeleted",
  (select role from chat_members where chat_id = $2 and user_id = users.id) as role
from users where id = $1
`;

/** Encodes the push of a system message, with what stands as its `event` in the history. */
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
 * Resolves once this node has delivered what was written in a group before a system message: who is out of it with that
 * message gets nothing of the group behind the reply.
 */
export function deliveredBefore(
  bus: OrderedPublisher,
  chatId: ChatId,
  { seq }: SystemMessage,
): Promise<void> {
  return new Promise((resolve) => bus.after(chatTopic(chatId), { chatId, seq: seq - 1 }, resolve));
}

/** Returns how an event changes the members, as it stands in the system message. */
function membershipChanges(
  { joined, left, closes }: GroupEvent,
  { historyFrom, lastSeq }: Chat,
): MembershipChange | undefined {
  if (closes) return { closes };
  if (left) return { left };
  return joined && { joined, ...(historyFrom === 'joining' && { firstSeq: lastSeq + 1 }) };
}

/** Publishes a system message, which lets in and out whom it names. */
export function publishGroupMessage(
  bus: Publisher,
  place: ChatPosition,
  push: { frame: string; except: ConnectionId; membership: MembershipChange | undefined },
): void {
  announceMembers(bus, place, push.membership?.joined ?? []);
  bus.publish(chatTopic(place.chatId), { ...push, place });
}

/** Lets the nodes of those who joined a group with a message follow it from there. */
export function announceMembers(bus: Publisher, place: ChatPosition, joined: readonly UserId[]): void {
  for (const id of joined) bus.publish(userTopic(id), { signal: { kind: 'joined', ...place } });
}

/** What bounds the members of a group. */
export interface MemberLimits {
  readonly db: Database;
  readonly limits: Pick<Limits, 'membersPerGroup' | 'groupsPerUser'>;
}

/** Lets people into the group of a change; refuses with `FORBIDDEN` where one of them or the group is full. */
export async function insertMembers(
  { db, limits: { membersPerGroup, groupsPerUser } }: MemberLimits,
  { transaction, group }: Pick<GroupChange, 'transaction' | 'group'>,
  userIds: readonly UserId[],
  role: Role = 'member',
): Promise<void> {
  if (group.memberCount + userIds.length > membersPerGroup)
    throw new LimitError('members', 'FORBIDDEN', `A group has at most ${membersPerGroup} members`);
  const wanted = JSON.stringify(userIds);
  const [full] = await db.query<{ id: UserId }>(inManyGroups, [wanted, groupsPerUser], transaction);
  if (full) throw new LimitError('groups', 'FORBIDDEN', `User ${full.id} is in as many groups as one can be`);
  await db.execute(memberInsertion, [group.id, wanted, role], transaction);
}

/**
 * Somebody of $1 who is in $2 groups, if anybody is. Most are in fewer chats than that, which the index on user_id
 * says; of the others the chats are looked up.
 */
const inManyGroups = `
select wanted::bigint as id from jsonb_array_elements_text($1::jsonb) wanted
where (
  select count(*) from (select from chat_members where user_id = wanted::bigint limit $2) chats
) >= $2 and (
  select count(*) from (
    select from chat_members member
    cross join lateral (
      select from chats where id = member.chat_id and kind = 'group' and closed_at is null limit 1
    ) own
    where member.user_id = wanted::bigint
    limit $2
  ) groups
) >= $2
limit 1
`;

/** What was written before is read as far as newcomers are concerned. */
const memberInsertion = `
with newcomer as (
  select jsonb_array_elements_text($2::jsonb)::bigint as id
), back as (
  delete from former_members using newcomer where chat_id = $1 and user_id = newcomer.id
)
insert into chat_members (chat_id, user_id, role, read_seq, delivered_seq, read_tally, first_seq)
select chats.id, newcomer.id, $3, last_seq, last_seq, tally, case history_from when 'joining' then last_seq + 1 else 1 end
from chats, newcomer where chats.id = $1
`;

/** Lets people out of the group of a change. */
export async function removeMembers(
  { db }: Pick<ActingUser, 'db'>,
  { transaction, group }: Pick<GroupChange, 'transaction' | 'group'>,
  ...userIds: readonly UserId[]
): Promise<void> {
  await db.execute(memberRemoval, [group.id, JSON.stringify(userIds)], transaction);
}

const memberRemoval = `
with gone as (
  delete from chat_members where chat_id = $1 and user_id = any (array(select jsonb_array_elements_text($2::jsonb)::bigint))
  returning chat_id, user_id
)
insert into former_members (chat_id, user_id, left_seq)
select chat_id, user_id, last_seq + 1 from gone join chats on chats.id = chat_id
on conflict (chat_id, user_id) do update
set xid = pg_current_xact_id(), left_at = clock_timestamp(), left_seq = excluded.left_seq
`;
