import { type Backoff, createBackoff } from './backoff.ts';
import { chatKey } from './chatAddress.ts';
import { STORING, UNORDERED, UNREPEATABLE } from './commandFacts.ts';
import { type ErrorCode, isPassing, ParleyError } from './errors.ts';
import type { CommandName, Params, Result } from './protocol.ts';
import { randomId } from './randomId.ts';

/** A frame of the server that answers a request. */
export interface Reply {
  readonly id?: unknown;
  readonly error?: true;
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly retryAfter?: number;
  readonly params?: unknown;
}

/**
 * Asks the server. `take` gets the result in its place among the frames: after what came before it and before what came
 * after it, of which several may come in one go. Who awaited it would only go on after those. Resolves to what `take`
 * returns.
 */
export type Ask = <Name extends CommandName, Value>(
  type: Name,
  params: Params<Name>,
  take: (result: Result<Name>) => Value,
) => Promise<Value>;

interface Request {
  readonly id: number;
  readonly type: CommandName;
  /** As it was when it was asked for. */
  readonly frame: string;
  /** It does not wait for {@link Outbox.opened}. */
  readonly isAhead: boolean | undefined;
  /** Requests of one queue go one after another. */
  readonly queue: string;
  readonly take: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly unwatch: () => void;
  state: 'waiting' | 'sent' | 'done';
  readonly backoff: Backoff;
  retry?: ReturnType<typeof setTimeout>;
}

/** Bytes of a frame that the server takes. */
const FRAME_BYTES = 64 * 1024;
/** Seconds that a refusal is waited out; longer ones, such as slow mode, are told. */
const LONGEST_WAIT = 10;

/**
 * Sends requests and keeps each until it is answered for good. What changes something in a chat goes one after
 * another, so that a retry cannot be overtaken; requests that were cut off are sent again, which does no harm: the
 * server knows messages by their `clientMessageId`, and all else is done once already.
 */
export class Outbox {
  readonly #write: (frame: string) => void;
  readonly #done: (type: CommandName, params: object, result: object) => void;
  /** The first request of a queue may be sent, the others wait. */
  readonly #queues = new Map<string, Set<Request>>();
  readonly #sent = new Map<number, Request>();
  /** Sent over a connection that broke before the reply. */
  readonly #cut = new Set<Request>();
  #uncut: (() => void) | undefined;
  #lastId = 0;
  #open = false;
  #closed: ParleyError | undefined;

  /** `done` hears of every success before the caller does. */
  constructor(
    write: (frame: string) => void,
    done: (type: CommandName, params: object, result: object) => void,
  ) {
    this.#write = write;
    this.#done = done;
  }

  /** See {@link Ask}; `isAhead` is for a socket that is open already, before all that waits. */
  call<Name extends CommandName, Value>(
    type: Name,
    given: Params<Name>,
    take: (result: Result<Name>) => Value,
    signal?: AbortSignal,
    isAhead?: boolean,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      signal?.throwIfAborted();
      const id = ++this.#lastId;
      const { clientMessageId } = given as { clientMessageId?: string };
      const params: object = STORING.includes(type)
        ? { ...given, clientMessageId: clientMessageId ?? randomId() }
        : given;
      const frame = JSON.stringify({ type, params, id });
      if (new TextEncoder().encode(frame).length > FRAME_BYTES)
        throw new ParleyError('PAYLOAD_TOO_LARGE', `The command is over ${FRAME_BYTES / 1024} KiB`);

      const aborted = () => this.#abort(request, signal?.reason);
      const request: Request = {
        id,
        type,
        frame,
        isAhead,
        queue: UNORDERED.includes(type) ? `${id}` : chatKey(params),
        take(result) {
          try {
            resolve(take(result));
          } catch (error) {
            reject(error);
          }
        },
        reject,
        unwatch: () => signal?.removeEventListener('abort', aborted),
        state: 'waiting',
        backoff: createBackoff(1_000, 32_000, 0.5),
      };
      signal?.addEventListener('abort', aborted);
      const queue = this.#queues.get(request.queue) ?? new Set();
      this.#queues.set(request.queue, queue.add(request));
      this.#send(request);
    });
  }

  /** Replies over the open socket will not be lost: sends every waiting request, those that were cut off first. */
  opened(): void {
    this.#open = true;
    for (const [first] of [...this.#queues.values()]) if (first) this.#send(first);
  }

  /** The socket is gone. */
  lost(): void {
    this.#open = false;
    for (const request of [...this.#sent.values()]) {
      this.#sent.delete(request.id);
      if (request.state === 'done' || UNREPEATABLE.includes(request.type)) {
        request.reject(
          new ParleyError('CONNECTION_LOST', `It is not known whether ${request.type} was done`),
        );
        this.#finish(request);
      } else {
        request.state = 'waiting';
        this.#cut.add(request);
      }
    }
  }

  /**
   * Resolves when every request that was cut off was answered: what became of it is known, or it is refused for a while,
   * which nothing else waits out.
   */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#uncut = resolve;
      this.#settle();
    });
  }

  /** Takes the answer to a request; what nobody waits for is let go. */
  answer(reply: Reply): void {
    const request = this.#sent.get(reply.id as number);
    if (!request) return;
    this.#sent.delete(request.id);
    const { code = 'INTERNAL', message = '', retryAfter } = reply;
    if (reply.error && isPassing(code) && (retryAfter ?? 0) <= LONGEST_WAIT && request.state !== 'done') {
      request.state = 'waiting';
      const delay = (retryAfter ?? 0) * 1000 + request.backoff.next();
      request.retry = setTimeout(() => this.#send(request), delay);
      return this.#settle(request);
    }
    if (reply.error) request.reject(new ParleyError(code, message, retryAfter));
    else {
      this.#done(request.type, JSON.parse(request.frame).params, reply.params as object);
      if (request.state !== 'done') request.take(reply.params as never);
    }
    this.#finish(request);
  }

  /** Refuses everything from now on. */
  close(error: ParleyError): void {
    this.#closed = error;
    this.#open = false;
    for (const queue of [...this.#queues.values()])
      for (const request of [...queue]) {
        request.reject(error);
        this.#finish(request);
      }
    this.#sent.clear();
  }

  #send(request: Request): void {
    const isOpen = this.#open || request.isAhead;
    if (!isOpen || request.state !== 'waiting' || this.#firstIn(request.queue) !== request) return;
    request.state = 'sent';
    this.#sent.set(request.id, request);
    this.#write(request.frame);
  }

  #firstIn(queue: string): Request | undefined {
    const [first] = this.#queues.get(queue) ?? [];
    return first;
  }

  /** What was sent keeps its place until the reply: what follows must not overtake it. */
  #abort(request: Request, reason: unknown): void {
    request.reject(reason);
    if (request.state === 'sent') request.state = 'done';
    else this.#finish(request);
  }

  #finish(request: Request): void {
    request.state = 'done';
    clearTimeout(request.retry);
    request.unwatch();
    this.#queues.get(request.queue)?.delete(request);
    const next = this.#firstIn(request.queue);
    if (next) this.#send(next);
    else this.#queues.delete(request.queue);
    this.#settle(request);
  }

  /** A request that was cut off was answered, or needs no answer any more. */
  #settle(request?: Request): void {
    if (request) this.#cut.delete(request);
    if (this.#cut.size === 0) this.#uncut?.();
  }
}
