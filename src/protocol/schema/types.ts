import { type TProperties, type TSchema, Type } from 'typebox';
import type { ChatId, InviteId, MessageId, SessionId, UserId } from '../../ids.ts';

/*
 * The vocabulary of the wire: what several commands or HTTP calls take or give. The descriptions end up in
 * the AsyncAPI and OpenAPI documents.
 */

/** A JSON object of the integrator. */
export type CustomData = Readonly<Record<string, unknown>>;

/** A text a client sends: well-formed Unicode without NUL, which PostgreSQL cannot hold. Lengths in code points. */
export const Text = (minLength: number, maxLength: number, description: string) =>
  Type.String({ minLength, maxLength, format: 'text', description });

/** A name that people are shown: in one line, and nothing hidden in it. */
export const Name = (minLength: number, maxLength: number, description: string) =>
  Type.String({ minLength, maxLength, format: 'name', description });

const integer = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
/** An id in results and pushes. */
export const Id = Type.Integer(integer);
/** Ids in params: the same on the wire, and kept apart by the compiler once the params are validated. */
export const IdOfUser = Type.Unsafe<UserId>(Type.Integer(integer));
export const IdOfGroup = Type.Unsafe<ChatId>(Type.Integer(integer));
export const IdOfMessage = Type.Unsafe<MessageId>(Type.Integer(integer));
export const IdOfInvite = Type.Unsafe<InviteId>(Type.Integer(integer));
export const IdOfSession = Type.Unsafe<SessionId>(Type.Integer(integer));
export const Seq = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Position in the chat: 1, 2, 3 … without a gap, in commit order',
});
export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC, milliseconds' });
/** A time a client gives. */
export const Moment = Type.String({
  format: 'moment',
  description:
    'An existing time (RFC 3339) with an offset or Z, in the years 1000 to 9999, without leap seconds',
});
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Content = Text(1, 4000, 'The message; stored byte for byte');
export const GroupName = Name(1, 100, 'Name of the group; one line');
export const ClientMessageId = Text(
  1,
  64,
  'Unique per sender. If the message is sent again, it is stored once and the first reply is returned',
);

export const Limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Rows per page' }),
);
export const Page = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 1,
    description: 'Page number; page 1 contains the newest rows',
  }),
);

/** Usernames as they are now; of a deleted account this is "Deleted user". */
export const UserName = Type.String({ description: 'Present username' });
export const MessageKind = Type.Enum(['text', 'system'], {
  description: 'system: the server recorded an event in a group',
});

/** A JSON object of the integrator's own. */
export const Custom = Type.Unsafe<CustomData>({
  type: 'object',
  keptAsGiven: true,
  description: 'Data of your application: a JSON object of at most 4 KiB, stored as given',
});
/** Properties that `custom` must contain: a filter of lists. */
export const CustomFilter = Type.Optional(
  Type.Unsafe<CustomData>({
    type: 'object',
    keptAsGiven: true,
    description: 'Only rows whose `custom` contains this object, as defined by the operator @> of PostgreSQL',
  }),
);

export const UserIds = Type.Array(IdOfUser, { minItems: 1, maxItems: 100, description: 'Up to 100 users' });

/** The two ways to name a chat, of which a request uses one. */
export const Address = {
  receiverId: Type.Optional({
    ...IdOfUser,
    description: 'The other person of a dialog; give either this or groupId',
  }),
  groupId: Type.Optional({ ...IdOfGroup, description: 'A group; give either this or receiverId' }),
};
/** For the compiler, exactly one is there: the typed client asks for it. */
export type OneAddress = {
  [Key in keyof typeof Address]: (typeof Address)[Key] & { readonly oneOf?: typeof Address };
};
/** Params of a command about a chat: exactly one of `receiverId` and `groupId`, and others. */
export const inChat = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(
    { ...(Address as OneAddress), ...properties },
    { oneOf: [{ required: ['receiverId'] }, { required: ['groupId'] }] },
  );

/** The place in which a message was stored; beside `data`, `message` and `senderName`. */
export const Sent = Type.Object({ messageId: Id, seq: Seq, createdAt: Time });
