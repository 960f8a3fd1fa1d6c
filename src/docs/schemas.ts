import { type TObject, type TSchema, Type } from 'typebox';
import type { Command } from '../commands/define.ts';
import { type ErrorCode, errorCodes } from '../protocol/errors.ts';

/** Descriptions of the formats of Parley, which other tools do not know. */
const OWN_FORMATS: Readonly<Record<string, string>> = {
  text: 'Well-formed Unicode without NUL (U+0000).',
  moment: 'Example: 2026-01-31T12:00:00Z.',
  emoji: 'An emoji that Unicode recommends for general interchange (RGI).',
  'new-password': 'Well-formed Unicode without control characters, at most 72 bytes.',
  name: 'Well-formed Unicode without control characters, line breaks, bidirectional controls and invisible characters. Joiners are allowed between letters of joining scripts and in emoji. It must not begin with a combining mark.',
};

/** Returns a schema as plain JSON for a document. */
export function plain(schema: TSchema): object {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    if (value?.keptAsGiven === true) delete value.keptAsGiven;
    const words = OWN_FORMATS[value?.format];
    if (!words) return value;
    const { format, description, ...rest } = value;
    return { ...rest, description: description ? `${description}. ${words}` : words };
  });
}

/** Returns a reference to a schema among the components of the document. */
export const schemaRef = (name: string) => Type.Ref(`#/components/schemas/${name}`);

const REQUEST_ID = 'RequestId';
const paramsName = (type: string) => `${type}Params`;
const resultName = (type: string) => `${type}Result`;
const pushedName = (type: string) => `${type}Pushed`;

/** Returns the parts of envelopes by the names with which {@link requestSchema} and the others refer to them. */
export function partSchemas(commands: readonly Command[]): Record<string, TSchema> {
  const requestId = Type.Union([Type.String(), Type.Integer()], {
    description: 'Chosen by the client and returned in the reply',
  });
  return { [REQUEST_ID]: requestId, ...Object.assign({}, ...commands.map(partsOf)) };
}

function partsOf(command: Command): Record<string, TSchema> {
  const { type } = command;
  const { params, result, pushed } = commandParts(command);
  return {
    [paramsName(type)]: params,
    [resultName(type)]: result,
    ...(pushed && { [pushedName(type)]: pushed }),
  };
}

/** Returns what stands in `params` of a request, of its reply and of its push, if it has one. */
export function commandParts({ params, result, push }: Command) {
  const noText = { data: Type.Null(), message: Type.Null(), senderName: Type.Null() };
  const text = {
    data: Type.Null(),
    message: Type.Union([
      Type.String({ description: 'The content, or a sentence that describes the event' }),
      Type.Null(),
    ]),
    senderName: Type.String({ description: 'The acting user' }),
  };
  return {
    params,
    result: Type.Object({ ...noText, ...result.properties }),
    pushed: push && Type.Object({ ...text, ...push.fields.properties }),
  };
}

export function requestSchema({ type, params }: Command): TObject {
  const part = schemaRef(paramsName(type));
  const needed = Array.isArray(params.required) && params.required.length > 0;
  return Type.Object({
    type: Type.Literal(type),
    params: needed ? part : Type.Optional(part),
    id: Type.Optional(schemaRef(REQUEST_ID)),
  });
}

export function replySchema({ type }: Command): TObject {
  return Type.Object({
    type: Type.Literal(type),
    success: Type.Literal(true),
    params: schemaRef(resultName(type)),
    id: Type.Optional(schemaRef(REQUEST_ID)),
  });
}

export function pushSchema({ type }: Command): TObject {
  return Type.Object({
    type: Type.Literal(type),
    success: Type.Literal(true),
    params: schemaRef(pushedName(type)),
  });
}

/** Errors of every command, in addition to its own. */
const COMMON_ERRORS: readonly ErrorCode[] = ['BAD_REQUEST', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'];
/** Errors in reply to a frame without a valid command. */
const UNREADABLE_ERRORS: readonly ErrorCode[] = ['BAD_REQUEST', 'UNKNOWN_TYPE', 'RATE_LIMITED'];

/** Returns all error codes of the WebSocket. */
export function socketErrors(commands: readonly Command[]): ReadonlySet<ErrorCode> {
  return new Set([...commands.flatMap(errorsOf), ...UNREADABLE_ERRORS]);
}

/** Returns all codes that a command can be refused with. */
export const errorsOf = ({ errors }: Command): ErrorCode[] => [...errors, ...COMMON_ERRORS];

export function errorSchema(command: Command): TObject {
  return errorFrame(Type.Literal(command.type), errorsOf(command));
}

export function unreadableErrorSchema(): TObject {
  const type = Type.String({
    description: 'The type of the request, or "unknown" when it could not be read',
  });
  return errorFrame(type, UNREADABLE_ERRORS);
}

function errorFrame(type: TSchema, codes: readonly ErrorCode[]): TObject {
  return Type.Object({
    error: Type.Literal(true),
    type,
    message: Type.String({ description: 'A sentence for humans; may change' }),
    code: Type.Enum([...codes], {
      description: codes.map((code) => `\`${code}\`: ${errorCodes[code].summary}`).join('; '),
    }),
    retryAfter: Type.Optional(
      Type.Integer({ description: 'Seconds after which a retry may succeed, if known' }),
    ),
    id: Type.Optional(schemaRef(REQUEST_ID)),
  });
}

/** Describes commands with `isHeavy`. */
export const HEAVY =
  'The server runs one or two of these commands at a time per user, over all connections of the user. About ten more wait for some seconds; beyond that they are refused with `RATE_LIMITED`, or with `UNAVAILABLE` if the commands of other users are the cause.';
