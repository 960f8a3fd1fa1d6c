import { Type } from 'typebox';
import { membershipIn } from '../chats/membership.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { type MessageRow, messageOf, selectMessagesAnd } from '../messages/read.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Message } from '../protocol/schema/messages.ts';
import { Id, inChat, Limit, Time } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const listPins = defineRead({
  type: 'listPins',
  summary: 'List the pinned messages of a chat, newest message first',
  params: inChat({ limit: Limit, cursor: Cursor }),
  result: Type.Object({
    data: Type.Array(
      Type.Object(
        { ...Message.properties, pinnedBy: Id.user, pinnedAt: Time },
        { title: 'PinnedMessage', description: 'A pinned message, and who pinned it' },
      ),
      ROWS,
    ),
    nextCursor: NextCursor,
  }),
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ limit = DEFAULT_LIMIT, cursor, ...address }, { session, db, cursors }) {
    const { chat, member } = await membershipIn(db, session.userId, address);
    const before = cursors.idFrom(cursor, Number.MAX_SAFE_INTEGER);
    const rows = await db.query<PinnedRow>(pinned, [
      session.userId,
      chat.id,
      member.firstSeq,
      before,
      limit + 1,
    ]);
    return cursors.pageOf(rows.map(pinOf), limit, ({ seq }) => [seq]);
  },
});

interface PinnedRow extends MessageRow {
  readonly pinnedBy: UserId;
  readonly pinnedAt: Date;
}

const pinOf = ({ pinnedBy, pinnedAt, ...row }: PinnedRow) => ({
  ...messageOf(row),
  pinnedBy,
  pinnedAt: pinnedAt.toISOString(),
});

/** From the pins of the chat, of which there are few, to their messages. */
const pinned = prepared(
  'pins',
  `${selectMessagesAnd(
    ', message.pinned_by as "pinnedBy", message.pinned_at as "pinnedAt"',
    `(
  select found.*, pin.pinned_by, pin.pinned_at
  from (
    select * from pins where chat_id = $2 and seq >= $3 and seq < $4 order by seq desc limit $5
  ) pin
  cross join lateral (select * from messages where chat_id = pin.chat_id and seq = pin.seq limit 1) found
)`,
  )}
order by message.seq desc
`,
);
