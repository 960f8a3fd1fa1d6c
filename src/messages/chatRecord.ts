import type { MembershipChange } from '../bus/bus.ts';
import type { ChatRecord, ReadPush } from '../bus/chatRecord.ts';
import type { Database } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { ChatId } from '../ids.ts';
import { encodePush } from '../protocol/frames.ts';
import { messagePush } from './messagePush.ts';
import { type MessageRow, type SystemEvent, selectMessages } from './read.ts';

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
  return rows.map((row) => ({ seq: row.seq, frame: frameOf(row), membership: membershipOf(row) }));
}

/** Returns the membership change of a system message. */
const membershipOf = ({ kind, custom }: MessageRow): MembershipChange | undefined =>
  kind === 'system' ? (custom as SystemEvent | null)?.membership : undefined;

function frameOf(row: MessageRow): string {
  const { type, message, senderName, fields } = messagePush(row);
  return encodePush(type, message, senderName, fields);
}
