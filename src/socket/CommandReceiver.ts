import type { ByteBudget } from '../ByteBudget.ts';
import type { CommandContext, CommandServices } from '../commands/context.ts';
import type { Command, Outcome } from '../commands/define.ts';
import { isTimeout, refusalOf } from '../database/failures.ts';
import { HOLD_BYTES } from '../limits.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { TimeoutLog } from '../observability/TimeoutLog.ts';
import type { Trace, Tracing } from '../observability/tracing.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { type ApiError, internal, LimitError } from '../protocol/errors.ts';
import { encodeError, type Request, type RequestId, readRequest, UNKNOWN_TYPE } from '../protocol/frames.ts';
import { CommandQueue, type QueuedCommand } from './CommandQueue.ts';
import { CommandTask, REQUEST_BYTES } from './CommandTask.ts';
import type { Connection, Receiver } from './Connection.ts';
import { commandContextOf } from './commandContext.ts';
import type { createRateLimiters, RateLimiter } from './rateLimits.ts';
import { BINARY, encodeSuccess, overloaded, unknownType } from './replies.ts';

/** Refusals have to be kept as well, until the commands before them are answered: there is a quarter more for them. */
const WITH_REFUSALS = 1.25;

/**
 * Milliseconds in which commands that were queued when their client left still begin: somebody who writes and closes
 * the window has written. Not for longer, because a token that is revoked then has no connection to end here.
 */
const TIME_AFTER_DISCONNECT = 1_000;

/** Shared by the receivers of a node. */
export interface ReceiverServices {
  readonly commands: ReadonlyMap<string, Command>;
  readonly services: CommandServices;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly isVerbose: boolean;
  /** Undefined where rates are not limited. */
  readonly rateLimiterOf: ReturnType<typeof createRateLimiters> | undefined;
  readonly budget: ByteBudget;
  readonly timeouts: TimeoutLog;
}

/** The receiving end of one connection. */
export class CommandReceiver implements Receiver {
  readonly #shared: ReceiverServices;
  readonly #connection: Connection;
  readonly #context: CommandContext;
  readonly #queue: CommandQueue;
  readonly #rateLimiter: RateLimiter | undefined;
  #requests = 0;

  constructor(shared: ReceiverServices, connection: Connection) {
    const { userId } = connection.session;
    const queue = new CommandQueue({
      send: (reply) => connection.send(reply),
      hasRoom: () => connection.waitingBytes <= HOLD_BYTES,
      budget: shared.budget.of(userId),
    });
    this.#shared = shared;
    this.#connection = connection;
    this.#queue = queue;
    this.#rateLimiter = shared.rateLimiterOf?.(userId);
    this.#context = commandContextOf(shared.services, connection, queue);
  }

  unanswered(): number {
    return this.#queue.length;
  }

  onFrame(frame: string): void {
    this.#accept(frame, readRequest(frame));
  }

  onBinary(): void {
    this.#accept('', BINARY);
  }

  onDrain(): void {
    this.#queue.resume();
  }

  onDisconnect(): void {
    if (this.#queue.length === 0) return;
    this.#queue.resume();
    setTimeout(() => this.#queue.stop(), TIME_AFTER_DISCONNECT).unref();
  }

  stop(): void {
    this.#queue.stop();
  }

  revoke(): void {
    this.#shared.services.writer.discard(this.#connection.id);
  }

  /** Runs a command and calls `answer` with its reply. */
  execute(command: Command, { id, params }: Request, answer: (reply: string) => void): void {
    const { tracing } = this.#shared;
    const start = performance.now();
    const number = ++this.#requests;
    const trace = tracing?.begin(command.type, { 'parley.session': this.#context.sessionId });
    command.execute(params, trace ? { ...this.#context, trace } : this.#context, (outcome) => {
      const { reply, code } = this.#encode(command, id, number, outcome, start);
      this.#noteDone(command.type, number, code, start, trace);
      try {
        answer(reply);
      } catch (error) {
        this.#shared.services.log.error(
          { err: error, requestId: this.#requestId(number), type: command.type },
          'failed to send reply',
        );
      }
    });
  }

  #accept(frame: string, request: Request): void {
    if (this.#connection.state === 'closed') return;
    const task = this.#taskFor(frame, request);
    if (this.#hasRoomFor(task.bytes)) this.#queue.push(task);
    else {
      this.#shared.metrics.limited('unanswered');
      this.#connection.close(CloseCode.TooManyRequests, 'Too many unanswered requests');
    }
  }

  #hasRoomFor(bytes: number): boolean {
    const { limits } = this.#shared.services;
    const queue = this.#queue;
    return (
      queue.length === 0 ||
      (queue.length < limits.unansweredPerConnection &&
        queue.bytes + bytes <= limits.unansweredBytesPerConnection &&
        queue.fits(bytes, WITH_REFUSALS))
    );
  }

  #taskFor(frame: string, request: Request): QueuedCommand {
    const { commands } = this.#shared;
    const command = commands.get(request.type);
    const bytes = REQUEST_BYTES + 2 * frame.length; // no string takes more than two bytes a character
    const early = this.#overLimit(command) ?? request.problem; // frames that cannot be read cost, too
    if (!command) return this.#refused(command, request, early ?? unknownType(request.type, commands.keys()));
    const refusal = early ?? (this.#queue.fits(bytes) ? undefined : overloaded());
    return refusal
      ? this.#refused(command, request, refusal)
      : new CommandTask(this, command, frame, request, bytes);
  }

  /** Keeps only the reply of a request that is refused. */
  #refused(command: Command | undefined, request: Request, refusal: ApiError): QueuedCommand {
    this.#shared.metrics.commandRefused(command?.type ?? UNKNOWN_TYPE, refusal);
    const reply = encodeError(request.type, refusal, request.id);
    return {
      pipelined: true,
      bytes: REQUEST_BYTES + 2 * reply.length,
      run: (answer) => answer(reply),
    };
  }

  #overLimit(command: Command | undefined): ApiError | undefined {
    const seconds = this.#rateLimiter?.take(command);
    if (seconds === undefined) return undefined;
    return new LimitError('commands', 'RATE_LIMITED', 'Too many commands; slow down', seconds);
  }

  /** Returns the reply. Never throws: an outcome that cannot be encoded is the fault of this command alone. */
  #encode(
    { type, reads, pipelined }: Command,
    id: RequestId | undefined,
    number: number,
    outcome: Outcome,
    start: number,
  ): { reply: string; code: string } {
    try {
      if (!('error' in outcome)) return { reply: encodeSuccess(type, outcome, id), code: 'ok' };
      if (!pipelined && isTimeout(outcome.error)) this.#noteTimeout(type, number, start);
      const refusal = refusalOf(outcome.error, reads);
      if (!refusal) return this.#encodeFault(type, id, number, outcome.error);
      this.#shared.metrics.limitReached(refusal);
      return { reply: encodeError(type, refusal, id), code: refusal.code };
    } catch (error) {
      return this.#encodeFault(type, id, number, error);
    }
  }

  /** Logs an error under an id, and encodes a reply that holds only this id. */
  #encodeFault(type: string, id: RequestId | undefined, number: number, error: unknown) {
    const requestId = this.#requestId(number);
    this.#shared.services.log.error({ err: error, requestId, type }, 'command failed');
    const fault = internal(requestId);
    return { reply: encodeError(type, fault, id), code: fault.code };
  }

  #noteTimeout(type: string, number: number, start: number): void {
    this.#shared.timeouts.add({
      type,
      userId: this.#connection.session.userId,
      requestId: this.#requestId(number),
      ms: Math.round(performance.now() - start),
    });
  }

  /** Measures, traces and, if asked for, logs a command that is done. */
  #noteDone(type: string, number: number, code: string, start: number, trace: Trace | undefined): void {
    const { metrics, isVerbose, services } = this.#shared;
    metrics.commandDone(type, code, start);
    trace?.end(code);
    if (isVerbose)
      services.log.debug(
        { requestId: this.#requestId(number), type, outcome: code, ms: performance.now() - start },
        'command',
      );
  }

  /** Returns the session, which `listSessions` and the log of connections have, and the number of the command in it. */
  #requestId(number: number): string {
    return `${this.#context.sessionId}.${number}`;
  }
}
