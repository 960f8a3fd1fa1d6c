import type { Static } from 'typebox';
import type { Queries } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import { prepared } from '../database/statements.ts';
import { wire } from '../database/wire.ts';
import type { UserId } from '../ids.ts';
import { PAGE_BYTES } from '../limits.ts';
import type { ChangeData } from '../messages/messageEvents.ts';
import { messagePush } from '../messages/messagePush.ts';
import { customOf, type MessageRow, selectMessagesAnd } from '../messages/read.ts';
import type { Fields } from '../protocol/frames.ts';
import type { Event as EventSchema } from '../protocol/schema/events.ts';
import { nameOf } from '../users/names.ts';
import { type EventRow, typesOf } from './types.ts';

/** Something that was committed and that others could see. */
export type Event = Static<typeof EventSchema>;

/**
 * Reads the events of rows in their present state, as far as they fit into a page, at least one. Each element has those of
 * one row. The present state has the content that may be seen now: that of a message deleted since is empty.
 */
export async function readEvents(db: Queries, rows: readonly EventRow[]): Promise<Event[][]> {
  const ids = rows.flatMap(({ messageId }) => messageId ?? []);
  const [messages, users, reports] = await Promise.all([
    readMessages(db, ids),
    readUsers(
      db,
      rows.flatMap(({ userId }) => userId ?? []),
    ),
    readReports(
      db,
      rows.flatMap((row) => reportIdOf(row) ?? []),
    ),
  ]);

  const events: Event[][] = [];
  for (const row of rows) {
    const message = row.messageId === null ? undefined : messages.get(row.messageId);
    if (row.messageId !== null && !message) break; // the page is full
    const user = row.userId === null ? undefined : users.get(row.userId);
    const report = reports.get(reportIdOf(row) ?? 0);
    events.push(
      typesOf(row).map((type, index) => ({
        eventId: index === 0 ? `${row.id}` : `${row.id}.${index}`,
        type,
        time: row.createdAt.toISOString(),
        ...(message ? placeOf(message) : { seq: null }),
        ...stateOf(row, message, user, report),
      })),
    );
  }
  return events;
}

function placeOf({ isGroup, chatId, userLow, userHigh, seq }: EventMessage) {
  return { ...(isGroup ? { groupId: chatId } : { userIds: [userLow, userHigh] }), seq };
}

function stateOf(
  row: EventRow,
  message: EventMessage | undefined,
  user: User | undefined,
  report: Fields | undefined,
): Pick<Event, 'command' | 'state'> {
  if (row.type === 'report') {
    const state = report ?? { reportId: reportIdOf(row) };
    return { command: null, state: message?.deletedAt ? { ...state, content: '' } : state };
  }
  if (!message) return { command: null, state: user ? profileOf(user) : { userId: row.userId } };
  if (row.type === null) {
    const { type, message: content, senderName, fields } = messagePush(message);
    return { command: type, state: { message: content, senderName, ...fields } };
  }
  const { command = null, version, reaction } = row.data as Partial<ChangeData>;
  const senderName = row.userId === null ? null : nameOf(user);
  const { messageId, seq, deletedAt } = message;
  const at = { messageId, seq, version, senderId: row.userId, ...addressFrom(message, row.userId) };
  if (row.type === 'edit')
    return { command, state: { message: message.content, senderName, ...at, ...editOf(message) } };
  const rest = deletedAt ? { deletedAt: deletedAt.toISOString() } : reaction;
  return { command, state: { message: null, senderName, ...at, ...rest } };
}

/** The address of the chat in a push of a user's action; operators act on the chat of the author. */
function addressFrom({ isGroup, chatId, userLow, userHigh, senderId }: EventMessage, userId: UserId | null) {
  return isGroup ? { groupId: chatId } : { receiverId: userLow + userHigh - (userId ?? senderId) };
}

function editOf(message: EventMessage) {
  const { editedAt, mentions, deletedAt } = message;
  const custom = customOf(message);
  const edited = { editedAt: editedAt?.toISOString() ?? null, custom, mentions: mentions ?? [] };
  return deletedAt ? { ...edited, deletedAt: deletedAt.toISOString() } : edited;
}

/** The attributes of users that are read. */
const PROFILE = [
  'id',
  'externalId',
  'username',
  'displayName',
  'about',
  'avatar',
  'custom',
  'isBot',
  'profileVersion',
];

function profileOf(user: User): Fields {
  const { id: userId, externalId, displayName, about, avatar, custom, isBot, profileVersion: version } = user;
  return { userId, externalId, username: nameOf(user), displayName, about, avatar, custom, isBot, version };
}

interface EventMessage extends MessageRow {
  readonly userLow: UserId;
  readonly userHigh: UserId;
}

async function readMessages(db: Queries, ids: readonly number[]): Promise<Map<number, EventMessage>> {
  if (ids.length === 0) return new Map();
  const noUser = 0; // own reactions are not needed
  const rows = await db.query<EventMessage>(messagesById, [noUser, [...new Set(ids)], PAGE_BYTES]);
  return new Map(rows.map((row) => [row.messageId, row]));
}

/** Uses the index messages_id. Stops after $3 bytes of content, in the order of the ids requested. */
export const messagesById = prepared(
  'events: messages',
  `${selectMessagesAnd(
    ', chat.user_low as "userLow", chat.user_high as "userHigh"',
    `(
  select found.*, position, sum(octet_length(found.content)) over (order by position) as bytes
  from unnest($2::bigint[]) with ordinality as requested (message_id, position)
  cross join lateral (select * from messages where id = requested.message_id limit 1) found
)`,
  )}
where message.bytes - octet_length(message.content) < $3
`,
);

async function readUsers(db: Queries, ids: readonly UserId[]): Promise<Map<UserId, User>> {
  if (ids.length === 0) return new Map();
  const users = await db.users.findAll({ attributes: PROFILE, where: { id: [...new Set(ids)] } });
  return new Map(users.map((user) => [user.id, user]));
}

function reportIdOf({ type, data }: EventRow): number | undefined {
  return type === 'report' && data && 'reportId' in data ? data.reportId : undefined;
}

async function readReports(db: Queries, ids: readonly number[]): Promise<Map<number, Fields>> {
  if (ids.length === 0) return new Map();
  const reports = await db.reports.findAll({ where: { id: [...ids] } });
  return new Map(
    reports.map(({ id: reportId, messageId, reporterId, reason, content, createdAt }) => [
      reportId,
      wire({ reportId, messageId, reporterId, reason, content, createdAt }),
    ]),
  );
}
