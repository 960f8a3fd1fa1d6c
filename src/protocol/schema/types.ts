import { type TProperties, type TSchema, Type } from 'typebox';
import type { ChatId, InviteId, MessageId, SessionId, UserId } from '../../ids.ts';

/*
 * The vocabulary of the wire: what several commands or HTTP calls take or give. The descriptions end up in
 * the AsyncAPI and OpenAPI documents. A schema with a `title` has this name there: it stands once among the components,
 * and everything that contains it refers to it.
 */

/** A JSON object of the integrator. */
export type CustomData = Readonly<Record<string, unknown>>;

/** Returns a schema with a description of its own, and with a name of its own or none. */
export function described<T extends TSchema>(schema: T, description: string, title?: string): T {
  const { title: _, ...unnamed } = schema as T & { title?: string };
  return { ...(title !== undefined && { title }), ...unnamed, description } as unknown as T;
}

/** A text a client sends: well-formed Unicode without NUL, which PostgreSQL cannot hold. Lengths in code points. */
export const Text = (minLength: number, maxLength: number, description: string, title?: string) =>
  Type.String({ ...(title !== undefined && { title }), minLength, maxLength, format: 'text', description });

/** A name that people are shown: in one line, and nothing hidden in it. */
export const Name = (minLength: number, maxLength: number, description: string, title?: string) =>
  Type.String({ ...(title !== undefined && { title }), minLength, maxLength, format: 'name', description });

const integer = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const id = (title: string, description: string) => Type.Integer({ title, ...integer, description });
/** Ids in results and pushes. */
export const Id = {
  user: id('UserId', 'Id of a user'),
  group: id('GroupId', 'Id of a group'),
  message: id('MessageId', 'Id of a message'),
  invite: id('InviteId', 'Id of an invite'),
  session: id('SessionId', 'Id of a connection, open or ended'),
};
/** Ids in params: the same on the wire, and kept apart by the compiler once the params are validated. */
export const IdOfUser = Type.Unsafe<UserId>(Id.user);
export const IdOfGroup = Type.Unsafe<ChatId>(Id.group);
export const IdOfMessage = Type.Unsafe<MessageId>(Id.message);
export const IdOfInvite = Type.Unsafe<InviteId>(Id.invite);
export const IdOfSession = Type.Unsafe<SessionId>(Id.session);
export const Seq = Type.Integer({
  title: 'Seq',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Position in the chat: 1, 2, 3 … without a gap, in commit order',
});
export const Time = Type.String({
  title: 'Time',
  format: 'date-time',
  description: 'ISO 8601, UTC, milliseconds',
});
/** A time a client gives. */
export const Moment = Type.String({
  title: 'Moment',
  format: 'moment',
  description:
    'An existing time (RFC 3339) with an offset or Z, in the years 1000 to 9999, without leap seconds',
});
export const Nullable = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });

export const Content = Text(1, 4000, 'The message; stored byte for byte', 'Content');
export const GroupName = Name(1, 100, 'Name of the group; one line', 'GroupName');
export const ClientMessageId = Text(
  1,
  64,
  'Unique per sender. If the message is sent again, it is stored once and the first reply is returned',
  'ClientMessageId',
);

export const Limit = Type.Optional(
  Type.Integer({ title: 'Limit', minimum: 1, maximum: 100, default: 20, description: 'Rows per page' }),
);
export const Page = Type.Optional(
  Type.Integer({
    title: 'Page',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 1,
    description: 'Page number; page 1 contains the newest rows',
  }),
);

/** Usernames as they are now; of a deleted account this is "Deleted user". */
export const UserName = Type.String({ description: 'Present username' });
export const MessageKind = Type.Enum(['text', 'system'], {
  title: 'MessageKind',
  description: 'system: the server recorded an event in a group',
});

/** A JSON object of the integrator's own. */
export const Custom = Type.Unsafe<CustomData>({
  title: 'CustomData',
  type: 'object',
  keptAsGiven: true,
  description: 'Data of your application: a JSON object of at most 4 KiB, stored as given',
});
/** Properties that `custom` must contain: a filter of lists. */
export const CustomFilter = Type.Optional(
  Type.Unsafe<CustomData>({
    title: 'CustomFilter',
    type: 'object',
    keptAsGiven: true,
    description: 'Only rows whose `custom` contains this object, as defined by the operator @> of PostgreSQL',
  }),
);

export const UserIds = Type.Array(IdOfUser, {
  title: 'UserIds',
  minItems: 1,
  maxItems: 100,
  description: 'Up to 100 users',
});

/** The two ways to name a chat, of which a request uses one. */
export const Address = {
  receiverId: Type.Optional(
    described(IdOfUser, 'The other person of a dialog; give either this or groupId', 'ReceiverId'),
  ),
  groupId: Type.Optional(described(IdOfGroup, 'A group; give either this or receiverId', 'ReceivingGroupId')),
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
export const Sent = Type.Object(
  { messageId: Id.message, seq: Seq, createdAt: Time },
  { title: 'Sent', description: 'Where the message of the command was stored' },
);

/** Nothing; beside `data`, `message` and `senderName`. */
export const Empty = Type.Object({}, { title: 'Empty', description: 'The command took effect' });
