import { ApiError } from './errors.ts';

/** The id of a request, by which the client recognises its reply. */
export type RequestId = string | number;

/** The readable parts of a frame; `problem` is the reason why it is not a valid request. */
export interface Request {
  readonly type: string;
  readonly id: RequestId | undefined;
  readonly params: unknown;
  /** The user as whom a service connection sends it, if any. Not validated. */
  readonly as?: unknown;
  readonly problem?: ApiError;
}

/** The type of an error reply to a frame without a readable type. */
export const UNKNOWN_TYPE = 'unknown';

/** Reads the envelope `{ type, params, id, as }` of a frame. Never throws. */
export function readRequest(frame: string): Request {
  const wrong = (message: string, type = UNKNOWN_TYPE, id?: RequestId): Request => ({
    type,
    id,
    params: undefined,
    problem: new ApiError('BAD_REQUEST', message),
  });

  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return wrong('The frame is not JSON; expected { "type": …, "params": … }');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong('The frame is not an object; expected { "type": …, "params": … }');

  const { type, id, params = {}, as } = value as Readonly<Record<string, unknown>>;
  const readableType = typeof type === 'string' ? type : undefined;
  if (id !== undefined && typeof id !== 'string' && !Number.isSafeInteger(id))
    return wrong('id must be a string or an integer', readableType);
  if (readableType === undefined) return wrong('type must be a string', UNKNOWN_TYPE, id as RequestId);
  const request = { type: readableType, id: id as RequestId | undefined, params };
  return as === undefined ? request : { ...request, as };
}

/** Fields of `params` of a reply or push, in addition to the three fixed fields or as their values. */
export type Fields = Readonly<Record<string, unknown>>;

/** Encodes the `id` of a reply, its last field. */
export const encodeRequestId = (id: RequestId | undefined): string =>
  id === undefined ? '' : `,"id":${typeof id === 'number' ? id : JSON.stringify(id)}`;

export function encodeReply(type: string, fields: Fields, id: RequestId | undefined): string {
  const params = { data: null, message: null, senderName: null, ...fields };
  return JSON.stringify({ type, success: true, params, id });
}

export function encodePush(
  type: string,
  message: string | null,
  senderName: string | null,
  fields: Fields,
): string {
  return JSON.stringify({ type, success: true, params: { data: null, message, senderName, ...fields } });
}

export function encodeError(
  type: string,
  { message, code, retryAfter, seq }: ApiError,
  id: RequestId | undefined,
): string {
  return JSON.stringify({ error: true, type, message, code, retryAfter, seq, id });
}
