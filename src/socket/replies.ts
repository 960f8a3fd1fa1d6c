import type { Outcome } from '../commands/define.ts';
import { REPLY_BYTES } from '../limits.ts';
import { encodeSendReply } from '../messages/sendFrames.ts';
import { ApiError, LimitError } from '../protocol/errors.ts';
import { encodeReply, type Request, type RequestId, UNKNOWN_TYPE } from '../protocol/frames.ts';
import { correctionOf } from '../text/misspelling.ts';

/** Encodes the reply to a command that succeeded; throws when it cannot be encoded, or is larger than any reply may be. */
export function encodeSuccess(
  type: string,
  outcome: Exclude<Outcome, { readonly error: unknown }>,
  id: RequestId | undefined,
): string {
  return 'stored' in outcome
    ? encodeSendReply(type, outcome.stored, id)
    : encodeBounded(type, outcome.fields, id);
}

function encodeBounded(
  type: string,
  fields: Parameters<typeof encodeReply>[1],
  id: RequestId | undefined,
): string {
  const reply = encodeReply(type, fields, id);
  // No character takes more than three bytes; most replies are far too short to be counted.
  if (3 * reply.length <= REPLY_BYTES) return reply;
  const bytes = Buffer.byteLength(reply) - Buffer.byteLength(JSON.stringify(id ?? null));
  if (bytes > REPLY_BYTES) throw new Error(`the reply has ${bytes} bytes, over ${REPLY_BYTES}`);
  return reply;
}

/** Stands for the request of a binary frame. */
export const BINARY: Request = {
  type: UNKNOWN_TYPE,
  id: undefined,
  params: undefined,
  problem: new ApiError('BAD_REQUEST', 'The frame is binary; expected a text frame with JSON'),
};

/** Returns the refusal of a command that does not exist, with the known one that may be meant. */
export function unknownType(type: string, known: Iterable<string>): ApiError {
  const name = type.slice(0, 64);
  const meant = correctionOf(name, known);
  const question = meant ? `; did you mean "${meant}"?` : '';
  return new ApiError('UNKNOWN_TYPE', `There is no command "${name}"${question}`);
}

export const tooManyCommands = (seconds: number): ApiError =>
  new LimitError('commands', 'RATE_LIMITED', 'Too many commands; slow down', seconds);

export const overloaded = (): ApiError =>
  new LimitError('memory', 'UNAVAILABLE', 'The server is overloaded; retry in a moment', 1);
