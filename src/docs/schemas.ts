import { type TObject, type TSchema, Type } from 'typebox';
import type { Command } from '../commands/define.ts';
import { type ErrorCode, errorCodes } from '../errors.ts';

/** Formats of our own mean nothing to others' tools: the documents say them in words. */
const OWN_FORMATS: Readonly<Record<string, string>> = {
  text: 'Well-formed Unicode without NUL (U+0000).',
  'password-bytes': 'Well-formed Unicode, at most 72 bytes.',
};

/** A schema as plain JSON, fit for a document. */
export function plain(schema: TSchema): object {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    const words = OWN_FORMATS[value?.format];
    if (!words) return value;
    const { format, description, ...rest } = value;
    return { ...rest, description: description ? `${description}. ${words}` : words };
  });
}

const RequestId = Type.Union([Type.String(), Type.Integer()], {
  description: 'Chosen by the client and echoed on the reply',
});

export function requestSchema({ type, params }: Command): TObject {
  const envelope = { type: Type.Literal(type), id: Type.Optional(RequestId) };
  const needed = Array.isArray(params.required) && params.required.length > 0;
  return Type.Object({ ...envelope, params: needed ? params : Type.Optional(params) });
}

export function replySchema({ type, result }: Command): TObject {
  const fixed = { data: Type.Null(), message: Type.Null(), senderName: Type.Null() };
  return Type.Object({
    type: Type.Literal(type),
    success: Type.Literal(true),
    params: Type.Object({ ...fixed, ...result.properties }),
    id: Type.Optional(RequestId),
  });
}

export function pushSchema(type: string, fields: TObject): TObject {
  const fixed = {
    data: Type.Null(),
    message: Type.String({ description: 'The content, or a sentence about what happened' }),
    senderName: Type.String({ description: 'Who did it' }),
  };
  return Type.Object({
    type: Type.Literal(type),
    success: Type.Literal(true),
    params: Type.Object({ ...fixed, ...fields.properties }),
  });
}

/** What every command may answer, beside the refusals of its own. */
const COMMON_ERRORS: readonly ErrorCode[] = ['BAD_REQUEST', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'];

export function errorSchema({ type, errors }: Command): TObject {
  return errorFrame(Type.Literal(type), [...errors, ...COMMON_ERRORS]);
}

export const unreadableErrorSchema = errorFrame(
  Type.String({ description: 'The type of the request, or "unknown" when it could not be read' }),
  ['BAD_REQUEST', 'UNKNOWN_TYPE', 'RATE_LIMITED'],
);

function errorFrame(type: TSchema, codes: readonly ErrorCode[]): TObject {
  return Type.Object({
    error: Type.Literal(true),
    type,
    message: Type.String({ description: 'A sentence for a person' }),
    code: Type.Enum([...codes], {
      description: codes.map((code) => `\`${code}\`: ${errorCodes[code].summary}`).join('; '),
    }),
    id: Type.Optional(RequestId),
  });
}
