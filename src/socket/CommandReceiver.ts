import type { CommandContext } from '../commands/context.ts';
import type { Command } from '../commands/define.ts';
import { HOLD_BYTES } from '../limits.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { ApiError } from '../protocol/errors.ts';
import { encodeError, type Request, readRequest, UNKNOWN_TYPE } from '../protocol/frames.ts';
import { CommandQueue, type QueuedCommand } from './CommandQueue.ts';
import { CommandRunner, type Work } from './CommandRunner.ts';
import { CommandTask, REQUEST_BYTES } from './CommandTask.ts';
import type { Connection } from './Connection.ts';
import { commandContextOf } from './commandContext.ts';
import type { RateLimiter } from './rateLimits.ts';
import type { ReceiverServices } from './receiverServices.ts';
import { BINARY, overloaded, tooManyCommands, unknownType } from './replies.ts';
import type { Receiver } from './SocketConnection.ts';
import { UnansweredBytes } from './UnansweredBytes.ts';

/** Refusals have to be kept as well, until the commands before them are answered: there is a quarter more for them. */
export const WITH_REFUSALS = 1.25;

/**
 * Milliseconds in which commands that were queued when their client left still begin: somebody who writes and closes
 * the window has written. Not for longer, because a token that is revoked then has no connection to end here.
 */
export const TIME_AFTER_DISCONNECT = 1_000;

/** The receiving end of one connection. */
export class CommandReceiver implements Receiver {
  readonly #shared: ReceiverServices;
  readonly #connection: Connection;
  readonly #context: CommandContext;
  readonly #runner: CommandRunner;
  readonly #memory: UnansweredBytes;
  readonly #queue: CommandQueue;
  readonly #rateLimiter: RateLimiter | undefined;

  constructor(shared: ReceiverServices, connection: Connection) {
    const { userId } = connection.session;
    const memory = new UnansweredBytes(shared.budget.of(userId));
    const queue = new CommandQueue({
      send: (reply) => connection.send(reply),
      hasRoom: () => connection.waitingBytes <= HOLD_BYTES,
      memory,
    });
    this.#shared = shared;
    this.#connection = connection;
    this.#runner = new CommandRunner(shared, () => connection.sessionId, connection.owner);
    this.#memory = memory;
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
    const context = this.#context;
    const work: Work = (trace, done) =>
      command.execute(params, trace ? { ...context, trace } : context, done);
    this.#runner.run(command, id, work, answer);
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
    const { length } = this.#queue;
    const memory = this.#memory;
    return (
      length === 0 ||
      (length < limits.unansweredPerConnection &&
        memory.total + bytes <= limits.unansweredBytesPerConnection &&
        memory.fits(bytes, WITH_REFUSALS))
    );
  }

  #taskFor(frame: string, request: Request): QueuedCommand {
    const { commands } = this.#shared;
    const command = commands.get(request.type);
    const bytes = REQUEST_BYTES + 2 * frame.length; // no string takes more than two bytes a character
    const early = this.#overLimit(command) ?? request.problem ?? onlyOfServices(request); // what is wrong costs, too
    if (!command) return this.#refused(command, request, early ?? unknownType(request.type, commands.keys()));
    const refusal = early ?? (this.#memory.fits(bytes) ? undefined : overloaded());
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
    return seconds === undefined ? undefined : tooManyCommands(seconds);
  }
}

/** Refuses `as` on the connection of a user. */
function onlyOfServices({ as }: Request): ApiError | undefined {
  return as === undefined
    ? undefined
    : new ApiError('BAD_REQUEST', 'as is only for service connections, which present an API key');
}
