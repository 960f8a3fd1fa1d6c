import { isDeepStrictEqual } from 'node:util';
import { type TObject, type TSchema, Type } from 'typebox';
import type { CommandDescription } from '../commands/define.ts';
import { NextCursor } from '../protocol/cursor.ts';
import { type ErrorCode, errorCodes } from '../protocol/errors.ts';
import { ChatAddress, ChatState } from '../protocol/schema/chats.ts';
import { GroupEvent, SharedGroup } from '../protocol/schema/groups.ts';
import {
  ChangedMeanwhile,
  ChangedMessage,
  HistoryRow,
  Message,
  MessageAddress,
  SendReply,
  SentExtras,
} from '../protocol/schema/messages.ts';
import { Presence, Profile } from '../protocol/schema/people.ts';
import { GroupProperties } from '../protocol/schema/sync.ts';
import { Sent } from '../protocol/schema/types.ts';

/** Descriptions of the formats of Parley, which other tools do not know. */
const OWN_FORMATS: Readonly<Record<string, string>> = {
  text: 'Well-formed Unicode without NUL (U+0000).',
  moment: 'Example: 2026-01-31T12:00:00Z.',
  emoji: 'An emoji that Unicode recommends for general interchange (RGI).',
  'new-password': 'Well-formed Unicode without control characters, at most 72 bytes.',
  name: 'Well-formed Unicode without control characters, line breaks, bidirectional controls and invisible characters. Joiners are allowed between letters of joining scripts and in emoji. It must not begin with a combining mark.',
};

/** The named schemas of a document, collected from those that contain them. */
export interface Components {
  /** Returns a schema as plain JSON: with a reference for each schema that has a name. */
  plain(schema: TSchema): object;
  /** Returns the schemas that were referred to so far, by name. */
  schemas(): Record<string, object>;
}

/**
 * `bases` are named objects: one that has all properties of a base refers to it (`allOf`) instead of repeating them. Throws
 * if two different schemas have the same name.
 */
export function createComponents(bases: readonly TObject[] = []): Components {
  const byName = new Map<string, unknown>();

  function plain(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    const { title, ...schema } = simplified(value as Record<string, unknown>);
    if (title === undefined) return body(schema);
    // a property may be called title, too
    if (typeof title !== 'string') return body({ ...value });
    const described = body(schema, title);
    if (byName.has(title) && !isDeepStrictEqual(byName.get(title), described))
      throw new Error(`two different schemas have the name ${title}`);
    byName.set(title, described);
    return { $ref: `#/components/schemas/${title}` };
  }

  function body({ keptAsGiven, ...schema }: Record<string, unknown>, name?: string): unknown {
    const known = explained(
      derived(
        schema,
        bases.filter((base) => (base as Named).title !== name),
      ),
    );
    return Object.fromEntries(
      Object.entries(known).map(([key, value]) => [key, key === 'oneOf' ? value : plain(value)]),
    );
  }

  return {
    plain: (schema) => plain(schema) as object,
    schemas: () =>
      Object.fromEntries([...byName].sort(([one], [other]) => (one < other ? -1 : 1))) as Record<
        string,
        object
      >,
  };
}

/** Returns an object as what it adds to the bases whose properties it has. */
function derived(schema: Record<string, unknown>, bases: readonly TObject[]): Record<string, unknown> {
  if (schema.type !== 'object' || schema.additionalProperties === false) return schema;
  const properties = { ...(schema.properties as Record<string, unknown>) };
  const required = new Set(schema.required as string[] | undefined);
  const allOf: TObject[] = [];
  for (const base of bases) {
    const inherited = Object.entries(base.properties);
    const isBase = inherited.every(
      ([name, property]) =>
        isDeepStrictEqual(properties[name], property) &&
        required.has(name) === (base.required ?? []).includes(name),
    );
    if (!isBase) continue;
    allOf.push(base);
    for (const [name] of inherited) {
      delete properties[name];
      required.delete(name);
    }
  }
  if (allOf.length === 0) return schema;
  const { type, required: _, properties: __, ...rest } = schema;
  return {
    ...{ type, allOf },
    ...(required.size > 0 && { required: [...required] }),
    ...(Object.keys(properties).length > 0 && { properties }),
    ...rest,
  };
}

/**
 * Returns a schema in the forms that generators of code read best: values of an enum with their type, a simple type that
 * may be null as two types, and a name for any other that may be null.
 */
function simplified(schema: Record<string, unknown>): Record<string, unknown> {
  if (Array.isArray(schema.enum)) return { type: 'string', ...schema };
  const [value, none, ...others] = (schema.anyOf ?? []) as Record<string, unknown>[];
  if (others.length > 0 || none?.type !== 'null' || !value) return schema;
  const { anyOf, ...rest } = schema;
  const { title, ...simple } = value;
  if (typeof value.type === 'string' && value.type !== 'object' && value.type !== 'array')
    return { ...simple, type: [value.type, 'null'], ...rest };
  return { title: `Nullable${title}`, anyOf, description: value.description, ...rest };
}

/** Returns a schema as plain JSON that contains all schemas within it, with the names that they have. */
export function inlined(schema: TSchema): object {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    if (typeof value !== 'object' || Array.isArray(value) || value === null) return value;
    const { keptAsGiven, ...rest } = value;
    return explained(rest);
  });
}

/** Returns a schema without a format of Parley: its description says the same. */
function explained(schema: Record<string, unknown>): Record<string, unknown> {
  const words = OWN_FORMATS[String(schema.format)];
  if (!words) return schema;
  const { format, description, ...rest } = schema;
  return { ...rest, description: description ? `${description}. ${words}` : words };
}

/** Returns the name of a type in languages that begin one with a capital. */
export const pascalCase = (type: string) => type.charAt(0).toUpperCase() + type.slice(1);
const none = Type.Null({ description: 'Always null' });
const requestId = Type.Optional(
  Type.Union([Type.String(), Type.Integer()], {
    title: 'RequestId',
    description: 'Chosen by the client and returned in the reply',
  }),
);
const type = Type.String({ description: 'The command' });
const success = Type.Literal(true, { title: 'Success', description: 'The frame is not an error' });
const Request = Type.Object({ type, id: requestId }, { title: 'Request', description: 'A command' });
const params = Type.Unsafe<object>({ type: 'object', description: 'Depends on the command' });
const Reply = Type.Object(
  { type, success, params, id: requestId },
  { title: 'Reply', description: 'The reply to a command that took effect' },
);
const Push = Type.Object(
  { type, success, params },
  { title: 'Push', description: 'The effect of a command of another connection' },
);
const EmptyResult = Type.Object(
  { data: none, message: none, senderName: none },
  { title: 'EmptyResult', description: 'The command took effect' },
);
const NoText = Type.Object(
  { message: none, senderName: none },
  { title: 'NoText', description: 'A reply has no text for people' },
);
const PushedText = Type.Object(
  {
    data: none,
    message: Type.Union([Type.String(), Type.Null()], {
      description: 'The content, or a sentence that describes the event',
    }),
    senderName: Type.String({ description: 'The acting user' }),
  },
  { title: 'PushedText', description: 'What people read of a push' },
);

const Paged = Type.Object({ nextCursor: NextCursor }, { title: 'Paged', description: 'A page of a list' });

/** Named objects that others are derived from; larger ones first. */
export const BASES: readonly TObject[] = [
  Message,
  HistoryRow,
  Profile,
  SharedGroup,
  GroupProperties,
  GroupEvent,
  Type.Object(ChatState, { title: 'ChatState', description: 'State of the user in a chat' }),
  Type.Object(MessageAddress, { title: 'MessageAddress', description: 'The message that was changed' }),
  Type.Object(ChangedMessage, { title: 'ChangedMessage', description: 'The message that was changed' }),
  Type.Object(SentExtras, {
    title: 'SentExtras',
    description: 'What the push of a message has if the message has it',
  }),
  Type.Object(ChangedMeanwhile, {
    title: 'ChangedMeanwhile',
    description: 'Of a push that is late: what was changed in between',
  }),
  Type.Object(ChatAddress, { title: 'ChatAddress', description: 'The chat, and the acting user' }),
  SendReply,
  Sent,
  Presence,
  Paged,
  EmptyResult,
  NoText,
  PushedText,
];

/** The payload of a message: an envelope with the type and the params of a command. */
export interface Payload {
  readonly envelope: TObject;
  readonly type: string;
  readonly params: TSchema;
  /** True if the envelope does not require them, but the command does. */
  readonly needsParams: boolean;
}

export function requestOf({ type, params }: CommandDescription): Payload {
  return {
    envelope: Request,
    type,
    params: {
      ...params,
      ...('oneOf' in params && { oneOf: alternatives(type, params.oneOf as Alternative[]) }),
      title: `${pascalCase(type)}Params`,
      description: `Params of ${type}`,
    },
    needsParams: Array.isArray(params.required) && params.required.length > 0,
  };
}

/** One of several params must be there. */
interface Alternative {
  readonly required: readonly string[];
}

/** Gives each a name, because generators make a type of each. */
const alternatives = (type: string, all: readonly Alternative[]) =>
  all.map((one) => ({ title: `${pascalCase(type)}By${one.required.map(pascalCase).join('And')}`, ...one }));

export function replyOf({ type, result }: CommandDescription): Payload {
  const { title = pascalCase(type), description = `Result of ${type}` } = result as Named;
  const properties = { ...EmptyResult.properties, ...result.properties };
  const params = Type.Object(properties, { title: `${title}Result`, description });
  return { envelope: Reply, type, params, needsParams: false };
}

/** Returns undefined for a command that notifies nobody. */
export function pushOf({ type, push }: CommandDescription): Payload | undefined {
  if (!push) return undefined;
  const { title = pascalCase(type), description = `Params of the push ${type}` } = push.fields as Named;
  const properties = { ...PushedText.properties, ...push.fields.properties };
  const params = Type.Object(properties, { title: `${title}Pushed`, description });
  return { envelope: Push, type, params, needsParams: false };
}

/** Returns a payload as plain JSON with a name. */
export function payloadSchema(name: string, payload: Payload, { plain }: Components): object {
  const { envelope, type, params, needsParams } = payload;
  return {
    title: name,
    type: 'object',
    allOf: [plain(envelope)],
    ...(needsParams && { required: ['params'] }),
    properties: { type: { const: type }, params: plain(params) },
  };
}

interface Named {
  readonly title?: string;
  readonly description?: string;
}

/** Errors of every command, in addition to its own. */
export const COMMON_ERRORS: readonly ErrorCode[] = ['BAD_REQUEST', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'];
/** Errors in reply to a frame without a valid command. */
export const UNREADABLE_ERRORS: readonly ErrorCode[] = ['BAD_REQUEST', 'UNKNOWN_TYPE', 'RATE_LIMITED'];

/** Returns all error codes of the WebSocket. */
export function socketErrors(commands: readonly CommandDescription[]): ReadonlySet<ErrorCode> {
  return new Set([...commands.flatMap(errorsOf), ...UNREADABLE_ERRORS]);
}

/** Returns the codes that a command may be refused with. */
export const errorsOf = ({ errors }: Pick<CommandDescription, 'errors'>): ErrorCode[] => [
  ...errors,
  ...COMMON_ERRORS,
];

export function errorSchema(commands: readonly CommandDescription[]): TObject {
  return Type.Object(
    {
      error: Type.Literal(true, { description: 'The frame is an error' }),
      type: Type.String({
        description: 'The type of the request, or "unknown" when it could not be read',
      }),
      message: errorMessage,
      code: errorCode([...socketErrors(commands)]),
      retryAfter: Type.Optional(
        Type.Integer({ description: 'Seconds after which a retry may succeed, if known' }),
      ),
      seq: Type.Optional(Type.Integer({ description: 'Current seq of the chat, if ifSeq was another' })),
      id: requestId,
    },
    { title: 'Error', description: 'Error reply to a command, or to a frame that is none' },
  );
}

export const errorMessage = Type.String({ description: 'A sentence for humans; may change' });

/** Returns the schema of the code in an error of a document with the given codes. */
export function errorCode(codes: readonly ErrorCode[]) {
  const summaries = codes.map((code) => `\`${code}\`: ${errorCodes[code].summary}`);
  return Type.Enum([...codes], { title: 'ErrorCode', description: summaries.join('; ') });
}

/** Describes commands with `isHeavy`. */
export const HEAVY =
  'The server runs one or two of these commands at a time per user, over all connections of the user. About ten more wait for some seconds; beyond that they are refused with `RATE_LIMITED`, or with `UNAVAILABLE` if the commands of other users are the cause.';
