import type { Backoff } from './backoff.ts';
import { chatKey } from './chatAddress.ts';
import { STORING, UNORDERED, UNREPEATABLE } from './commandFacts.ts';
import { type ErrorCode, ParleyError } from './errors.ts';
import type { CommandName } from './protocol.ts';
import { randomId } from './randomId.ts';

/** A request from the call to its final reply. */
export interface Request extends EncodedRequest {
  readonly type: string;
  /** Sent as soon as there is a socket, without waiting for the outbox to be opened. */
  readonly isPriority: boolean | undefined;
  readonly take: (result: never) => void;
  readonly reject: (error: unknown) => void;
  /** Removes the listener of the abort signal. */
  readonly unwatch: () => void;
  readonly backoff: Backoff;
  /** Cancels the timer of the next attempt. */
  cancelRetry?: () => void;
  /** `waiting` to be sent, `sent`, `aborted` after it was sent, or `done`: it was answered, or is not sent any more. */
  state: 'waiting' | 'sent' | 'aborted' | 'done';
}

/** A request as it is sent. */
export interface EncodedRequest {
  readonly id: number;
  /** The frame; params are encoded at the call, so later changes of them have no effect. */
  readonly frame: string;
  /** Requests of one queue are sent one after another, each after the reply to the one before. */
  readonly queue: string;
  /** May be sent again after a broken connection. */
  readonly isRepeatable: boolean;
}

/** A frame of the server that answers a request. */
export interface Reply {
  readonly id?: unknown;
  readonly error?: true;
  readonly code?: ErrorCode;
  readonly message?: string;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly seq?: number;
  readonly params?: unknown;
}

/** Bytes of the largest frame that the server accepts. */
const MAX_FRAME_BYTES = 64 * 1024;

/**
 * Encodes a command of a user, on a service connection with the user `as` whom it is sent, and with a `clientMessageId` if
 * it stores a message. Throws as {@link encodeFrame}.
 */
export function encodeRequest(
  id: number,
  type: CommandName,
  given: object,
  as?: object | string,
): EncodedRequest {
  const { clientMessageId = randomId() } = given as { readonly clientMessageId?: string };
  const params = STORING.includes(type) ? { ...given, clientMessageId } : given;
  return {
    id,
    frame: encodeFrame({ type, params, as, id }),
    queue: UNORDERED.includes(type) ? `${id}` : chatKey(params),
    isRepeatable: !UNREPEATABLE.includes(type),
  };
}

/** Encodes a frame. Throws a {@link ParleyError} with the code `PAYLOAD_TOO_LARGE` if it has over 64 KiB. */
export function encodeFrame(content: object): string {
  const frame = JSON.stringify(content);
  if (new TextEncoder().encode(frame).length > MAX_FRAME_BYTES)
    throw new ParleyError('PAYLOAD_TOO_LARGE', 'The command is over 64 KiB');
  return frame;
}
