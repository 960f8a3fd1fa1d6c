import { type TSchema, Type } from 'typebox';

/*
 * The vocabulary of the wire: what several commands or HTTP calls take or give. The descriptions end up in
 * the AsyncAPI and OpenAPI documents.
 */

/** A text a client sends: well-formed Unicode without NUL, which PostgreSQL cannot hold. Lengths in code points. */
const Text = (minLength: number, maxLength: number, description: string) =>
  Type.String({ minLength, maxLength, format: 'text', description });

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const Seq = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Position in the chat: 1, 2, 3 … without a gap, in commit order',
});
export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC, milliseconds' });
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Content = Text(1, 4000, 'The message, kept byte for byte');
export const GroupName = Text(1, 100, 'Name of the group');
export const ClientMessageId = Text(
  1,
  64,
  'Unique per sender: sent again, the message is stored once and the first answer comes back',
);

export const Limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Rows per page' }),
);
export const Page = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 1,
    description: '1 holds the newest',
  }),
);

/** Usernames as they are now; of a deleted account this is "Deleted user". */
export const UserName = Type.String({ description: 'Username as it is now' });
export const MessageKind = Type.Enum(['text', 'system'], {
  description: 'system: what happened in a group, written by the server',
});

/** Where a message was stored: stands beside `data`, `message` and `senderName`. */
export const Sent = Type.Object({ messageId: Id, seq: Seq, createdAt: Time });

/** What every row of a history page has. */
export const HistoryRow = Type.Object({
  id: Id,
  seq: Seq,
  kind: MessageKind,
  content: Type.String(),
  sender_id: Id,
  senderName: UserName,
  created_at: Time,
  updated_at: Time,
  deleted_at: Nullable(Time),
});
