import { createBackoff } from './backoff.ts';
import type { SendRequest } from './calls.ts';
import { isPassing, ParleyError } from './errors.ts';
import type { Commands } from './protocol.ts';
import type { EncodedRequest, Reply, Request } from './request.ts';

/** Seconds of the longest `retryAfter` that is waited for; calls with a longer one, such as slow mode, are rejected. */
const MAX_RETRY_AFTER = 10;

/** Commands by name. */
type Registry<All> = { [Type in keyof All]: { readonly params: object; readonly result: object } };
type Name<All> = keyof All & string;

type Encode<All> = (
  id: number,
  type: Name<All>,
  params: object,
  as: object | string | undefined,
) => EncodedRequest;

/**
 * Keeps each request until its final reply. Commands that change a chat are sent one after another, so that a retry is
 * not overtaken. Requests without a reply are sent again over the next connection, which has no second effect: messages
 * are recognised by their `clientMessageId`, all other commands are idempotent, except those that must not be repeated, which
 * reject. The outbox has no timers and no socket. `All` are the commands by name.
 */
export class Outbox<All extends Registry<All> = Commands> {
  readonly #write: (frame: string) => void;
  readonly #done: (type: Name<All>, params: object, result: object) => void;
  readonly #startTimer: (run: () => void, milliseconds: number) => () => void;
  readonly #encode: Encode<All>;
  /** The first request of a queue may be sent, the others wait. */
  readonly #queues = new Map<string, Set<Request>>();
  /** By id: requests whose reply is expected over the present connection. */
  readonly #sent = new Map<unknown, Request>();
  /** Requests that were sent over an earlier connection and have had no reply since. */
  readonly #interrupted = new Set<Request>();
  #resolveSettled = () => {};
  #lastId = 0;
  #isOpen = false;
  #closed: ParleyError | undefined;

  /**
   * `write` writes a frame to the open socket. `done` receives each command that succeeded, before its caller does.
   * `startTimer` calls a function after some milliseconds, unless the function that it returns is called before. `encode` is
   * called with what {@link call} is called with, and throws where that is to reject.
   */
  constructor(
    write: (frame: string) => void,
    done: (type: Name<All>, params: object, result: object) => void,
    startTimer: (run: () => void, milliseconds: number) => () => void,
    encode: Encode<All>,
  ) {
    this.#write = write;
    this.#done = done;
    this.#startTimer = startTimer;
    this.#encode = encode;
  }

  /**
   * Sends a request as soon as its queue and the connection permit, see {@link SendRequest}. A request with priority does not
   * wait for {@link opened}; it needs a socket. `as` is the user of a service connection. Rejects with a {@link ParleyError}, or with the reason of `signal`.
   */
  call<Type extends Name<All>, Value>(
    type: Type,
    params: All[Type]['params'],
    take: (result: All[Type]['result']) => Value,
    signal?: AbortSignal,
    isPriority?: boolean,
    as?: object | string,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      signal?.throwIfAborted();
      const abort = () => this.#abort(request, signal?.reason);
      const request: Request = {
        ...this.#encode(++this.#lastId, type, params, as),
        type,
        isPriority,
        take(result) {
          try {
            resolve(take(result));
          } catch (error) {
            reject(error);
          }
        },
        reject,
        unwatch: () => signal?.removeEventListener('abort', abort),
        backoff: createBackoff(1_000, 32_000, 0.5),
        state: 'waiting',
      };
      signal?.addEventListener('abort', abort);
      const queue = this.#queues.get(request.queue) ?? new Set();
      this.#queues.set(request.queue, queue.add(request));
      this.#send(request);
    });
  }

  /** Sends the waiting requests, in the order of the calls, now that the client can receive the replies. */
  opened(): void {
    this.#isOpen = true;
    for (const [first] of [...this.#queues.values()]) if (first) this.#send(first);
  }

  /** Expects no more replies of the connection. Rejects the sent requests that must not be sent again. */
  lost(): void {
    this.#isOpen = false;
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    for (const request of sent)
      if (request.state === 'aborted' || !request.isRepeatable) {
        request.reject(new ParleyError('CONNECTION_LOST', `The outcome of ${request.type} is unknown`));
        this.#finish(request);
      } else {
        request.state = 'waiting';
        this.#interrupted.add(request);
      }
  }

  /**
   * Resolves when every request that a lost connection interrupted has been answered, so that its effect, if any, is
   * part of what the server returns from then on. A refusal is an answer, even if the request is sent again later.
   */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveSettled = resolve;
      this.#settle();
    });
  }

  /** Processes a reply. Ignores replies to unknown requests. */
  answer(reply: Reply): void {
    const request = this.#sent.get(reply.id);
    if (!request) return;
    this.#sent.delete(reply.id);
    const { code = 'INTERNAL', message = '', retryAfter, seq } = reply;
    const seconds = retryAfter ?? 0;
    if (!reply.error) {
      this.#done(request.type as Name<All>, JSON.parse(request.frame).params, reply.params as object);
      if (request.state === 'sent') request.take(reply.params as never);
    } else if (request.state === 'sent' && isPassing(code) && seconds <= MAX_RETRY_AFTER) {
      request.state = 'waiting';
      const delay = seconds * 1000 + request.backoff.next();
      request.cancelRetry = this.#startTimer(() => this.#send(request), delay);
      return this.#settle(request);
    } else request.reject(new ParleyError(code, message, retryAfter, seq));
    this.#finish(request);
  }

  /** Rejects all calls with an error, those to come included. */
  close(error: ParleyError): void {
    this.#closed = error;
    this.#isOpen = false;
    for (const queue of [...this.#queues.values()])
      for (const request of [...queue]) {
        request.reject(error);
        this.#finish(request);
      }
    this.#sent.clear();
  }

  #send(request: Request): void {
    const mayWrite = this.#isOpen || request.isPriority;
    if (!mayWrite || request.state !== 'waiting' || this.#firstOf(request.queue) !== request) return;
    request.state = 'sent';
    request.cancelRetry?.();
    this.#sent.set(request.id, request);
    this.#write(request.frame);
  }

  #firstOf(queue: string): Request | undefined {
    const [first] = this.#queues.get(queue) ?? [];
    return first;
  }

  /** Rejects a call. A request that was sent keeps its place until the reply, so that none behind it overtakes it. */
  #abort(request: Request, reason: unknown): void {
    request.reject(reason);
    if (request.state === 'sent') request.state = 'aborted';
    else this.#finish(request);
  }

  #finish(request: Request): void {
    request.state = 'done';
    request.cancelRetry?.();
    request.unwatch();
    this.#queues.get(request.queue)?.delete(request);
    const next = this.#firstOf(request.queue);
    if (next) this.#send(next);
    else this.#queues.delete(request.queue);
    this.#settle(request);
  }

  #settle(request?: Request): void {
    if (request) this.#interrupted.delete(request);
    if (this.#interrupted.size === 0) this.#resolveSettled();
  }
}
