import type { MembershipChange } from '../bus/bus.ts';
import type { ChatRecord, ReadPush } from '../bus/chatRecord.ts';
import type { Database } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { ChatId } from '../ids.ts';
import { encodePush } from '../protocol/frames.ts';
import { chatOf, type MessageRow, type SystemEvent, selectMessages } from './read.ts';

const span = prepared(
  'missed messages',
  `${selectMessages}
where message.chat_id = $2 and message.seq = any (array(select generate_series($3::bigint, $4::bigint)))
order by message.seq
`,
);

/** Messages scanned for the newest one that was visible to a snapshot. */
const MAX_LOOK_BACK = 1_000;

/** Returns the record of chats from which gaps are filled. */
export function createChatRecord(db: Database): ChatRecord {
  return {
    read: (chatId, from, to) => readMissed(db, chatId, from, to),
    async head(chatId) {
      const [chat] = await db.query<{ seq: number }>(headOf, [chatId]);
      return chat?.seq ?? 0;
    },
    async headAt(chatId, snapshot) {
      const [found] = await db.query<{ seq: number | null; isStart: boolean }>(headAt, [
        chatId,
        snapshot,
        MAX_LOOK_BACK,
      ]);
      return found?.seq ?? (found?.isStart ? 0 : undefined);
    },
  };
}

const headOf = prepared(
  'head of chat',
  `
select last_seq as seq from chats where id = $1
`,
);

/**
 * Messages of a chat become visible in the order of seq, so everything below the newest visible one was visible, too.
 */
const headAt = `
select max(seq) filter (where pg_visible_in_snapshot(xid, $2::pg_snapshot)) as seq,
  coalesce(min(seq), 1) = 1 as "isStart"
from (select seq, xid from messages where chat_id = $1 order by seq desc limit $3) newest
`;

/** Reads the messages of a chat from one `seq` to another in their current state, as pushes in the order of `seq`. */
async function readMissed(
  db: Database,
  chatId: ChatId,
  from: number,
  to: number,
): Promise<readonly ReadPush[]> {
  const noUser = 0; // own reactions are not needed
  const rows = await db.query<MessageRow>(span, [noUser, chatId, from, to]);
  return rows.map((row) => ({ seq: row.seq, frame: pushOf(row), membership: membershipOf(row) }));
}

/** Returns the membership change of a system message. */
const membershipOf = ({ kind, custom }: MessageRow): MembershipChange | undefined =>
  kind === 'system' ? (custom as SystemEvent | null)?.membership : undefined;

/**
 * Encodes the push of a message. Later changes are included: otherwise a deleted message would look like an empty one.
 */
function pushOf(row: MessageRow): string {
  const { messageId, seq, kind, senderId, senderName, content, createdAt } = row;
  const at = { messageId, seq, createdAt: createdAt.toISOString(), senderId, ...chatOf(row) };
  const address = row.version > 0 ? { ...at, ...changesOf(row) } : at;
  if (kind === 'system') {
    const { type = '', membership: _, ...fields } = (row.custom ?? {}) as Partial<SystemEvent>;
    return encodePush(type, content, senderName, { ...address, event: { type, ...fields }, ...fields });
  }
  const extras = {
    replyTo: row.replyTo ?? undefined,
    silent: row.silent || undefined,
    custom: row.custom ?? undefined,
    mentions: row.mentions ?? undefined,
    forwardedFrom: row.forwardedFrom ?? undefined,
    forwardedFromName: row.forwardedFromName ?? undefined,
  };
  const type = row.isGroup ? 'messageInGroup' : 'privateMessage';
  return encodePush(type, content, senderName, { ...address, ...extras });
}

function changesOf({ version, editedAt, deletedAt, counts, pinned }: MessageRow) {
  return {
    version,
    editedAt: editedAt?.toISOString(),
    deletedAt: deletedAt?.toISOString(),
    reactions: counts ? Object.entries(counts).map(([emoji, count]) => ({ emoji, count })) : undefined,
    pinned: pinned || undefined,
  };
}
