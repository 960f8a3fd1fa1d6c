import { ByteBudget } from '../ByteBudget.ts';
import type { CommandContext, CommandServices } from '../commands/context.ts';
import type { Command, Outcome } from '../commands/define.ts';
import { isTimeout, refusalOf } from '../database/failures.ts';
import { HOLD_BYTES, REPLY_BYTES } from '../limits.ts';
import { encodeSendReply } from '../messages/sendFrames.ts';
import type { Metrics } from '../observability/metrics.ts';
import { TimeoutLog } from '../observability/TimeoutLog.ts';
import type { Tracing } from '../observability/tracing.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { ApiError, internal, LimitError } from '../protocol/errors.ts';
import {
  encodeError,
  encodeReply,
  type Request,
  type RequestId,
  readRequest,
  UNKNOWN_TYPE,
} from '../protocol/frames.ts';
import { CommandQueue, type QueuedCommand } from './CommandQueue.ts';
import type { Connection, Receiver } from './Connection.ts';
import { createRateLimiters, type RateLimiter } from './rateLimits.ts';

/** Opens the receiving end of a connection: takes its frames, answers each in order. */
export type Dispatcher = (connection: Connection) => Receiver;

export interface DispatcherOptions {
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  /** True if rates of commands are limited. */
  readonly isLimited: boolean;
}

/** Share of one user in the budget for unanswered commands. */
const USER_SHARE = 1 / 4;
/** Refusals have to be kept as well, until the commands before them are answered: there is a quarter more for them. */
const WITH_REFUSALS = 1.25;
/** Bytes of memory that an unanswered request takes beside its text. */
const REQUEST_BYTES = 256;

/**
 * Milliseconds in which commands that were queued when their client left still begin: somebody who writes and closes
 * the window has written. Not for longer, because a token that is revoked meanwhile has no connection to end here.
 */
const AFTERTIME = 1_000;

/**
 * Routes requests to the commands of the registry: reads the envelope, finds the command, validates, runs it
 * and encodes what comes of it. Knows no command by name.
 */
export function createDispatcher(
  commands: ReadonlyMap<string, Command>,
  services: CommandServices,
  { metrics, tracing, isLimited }: DispatcherOptions,
): Dispatcher {
  const node: Node = {
    commands,
    services,
    metrics,
    tracing,
    isVerbose: services.log.isLevelEnabled('debug'),
    paceOf: isLimited ? createRateLimiters(services.limits) : undefined,
    budget: new ByteBudget(services.limits.unansweredBytes, USER_SHARE),
    timeouts: new TimeoutLog(services.log),
  };
  return (connection) => new CommandReceiver(node, connection);
}

/** Shared by the receivers of a node. */
interface Node {
  readonly commands: ReadonlyMap<string, Command>;
  readonly services: CommandServices;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly isVerbose: boolean;
  readonly paceOf: ReturnType<typeof createRateLimiters> | undefined;
  readonly budget: ByteBudget;
  readonly timeouts: TimeoutLog;
}

/** The receiving end of one connection. */
class CommandReceiver implements Receiver {
  readonly #node: Node;
  readonly #connection: Connection;
  readonly #context: CommandContext;
  readonly #queue: CommandQueue;
  readonly #rateLimiter: RateLimiter | undefined;
  #requests = 0;

  constructor(node: Node, connection: Connection) {
    const { services, budget, paceOf } = node;
    const { session, sessionId, id: origin } = connection;
    const lane = new CommandQueue({
      send: (reply) => connection.send(reply),
      hasRoom: () => connection.waitingBytes <= HOLD_BYTES,
      budget: budget.of(session.userId),
    });
    this.#node = node;
    this.#connection = connection;
    this.#queue = lane;
    this.#rateLimiter = paceOf?.(session.userId);
    // Each property by its name: an object that is spread takes 800 bytes, this one 250.
    this.#context = {
      writer: services.writer,
      presence: services.presence,
      typists: services.typists,
      positions: services.positions,
      sessions: services.sessions,
      bus: services.bus,
      changes: services.changes,
      db: services.db,
      closures: services.closures,
      limits: services.limits,
      log: services.log,
      signCursors: services.signCursors,
      turns: services.turns,
      session,
      sessionId,
      origin,
      finish: () => lane.finish(),
    };
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
    setTimeout(() => this.#queue.stop(), AFTERTIME).unref();
  }

  stop(): void {
    this.#queue.stop();
  }

  revoke(): void {
    this.#node.services.writer.discard(this.#connection.id);
  }

  /** Runs a command and passes its reply on. */
  execute(command: Command, { id, params }: Request, answer: (reply: string) => void): void {
    const { metrics, tracing, isVerbose, services } = this.#node;
    const start = performance.now();
    const number = ++this.#requests;
    const { type } = command;
    const trace = tracing?.begin(type, { 'parley.session': this.#context.sessionId });
    command.execute(params, trace ? { ...this.#context, trace } : this.#context, (outcome) => {
      const { reply, code } = this.#conclude(command, id, number, outcome, start);
      metrics.commandDone(type, code, start);
      trace?.end(code);
      if (isVerbose)
        services.log.debug(
          { requestId: this.#requestId(number), type, outcome: code, ms: performance.now() - start },
          'command',
        );
      try {
        answer(reply);
      } catch (error) {
        services.log.error(
          { err: error, requestId: this.#requestId(number), type },
          'reply could not be sent',
        );
      }
    });
  }

  #accept(frame: string, request: Request): void {
    if (this.#connection.ended) return;
    const { limits } = this.#node.services;
    const lane = this.#queue;
    const task = this.#taskFor(frame, request);
    const hasRoom =
      lane.length === 0 ||
      (lane.length < limits.unansweredPerConnection &&
        lane.bytes + task.bytes <= limits.unansweredBytesPerConnection &&
        lane.fits(task.bytes, WITH_REFUSALS));
    if (hasRoom) lane.push(task);
    else {
      this.#node.metrics.limited('unanswered');
      this.#connection.close(CloseCode.TooManyRequests, 'Too many unanswered requests');
    }
  }

  #taskFor(frame: string, request: Request): QueuedCommand {
    const command = this.#node.commands.get(request.type);
    const bytes = REQUEST_BYTES + 2 * frame.length; // no string takes more than two bytes a character
    const refusal =
      this.#overLimit(command) ?? // frames that cannot be read cost, too
      request.problem ??
      (command ? undefined : unknownType(request.type)) ??
      (this.#queue.fits(bytes) ? undefined : overloaded());
    if (command && !refusal) return new CommandTask(this, command, frame, request, bytes);
    return this.#refused(command, request, refusal ?? unknownType(request.type));
  }

  /** Keeps of a request that is refused only what its reply has. */
  #refused(command: Command | undefined, request: Request, refusal: ApiError): QueuedCommand {
    this.#node.metrics.commandRefused(command?.type ?? UNKNOWN_TYPE, refusal);
    const reply = encodeRefusal(request.type, request.id, refusal);
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

  /** Returns the reply. Never throws: what cannot be encoded is the fault of this command alone. */
  #conclude(
    { type, reads, pipelined }: Command,
    id: RequestId | undefined,
    number: number,
    outcome: Outcome,
    start: number,
  ): { reply: string; code: string } {
    try {
      if ('stored' in outcome) return { reply: encodeSendReply(type, outcome.stored, id), code: 'ok' };
      if ('fields' in outcome) return { reply: encodeBounded(type, outcome.fields, id), code: 'ok' };
      if (!pipelined && isTimeout(outcome.error)) this.#timedOut(type, number, start);
      const refusal = refusalOf(outcome.error, reads);
      if (!refusal) return this.#failed(type, id, number, outcome.error);
      this.#node.metrics.limitReached(refusal);
      return { reply: encodeRefusal(type, id, refusal), code: refusal.code };
    } catch (error) {
      return this.#failed(type, id, number, error);
    }
  }

  #timedOut(type: string, number: number, start: number): void {
    this.#node.timeouts.add({
      type,
      userId: this.#connection.session.userId,
      requestId: this.#requestId(number),
      ms: Math.round(performance.now() - start),
    });
  }

  /** Logs what went wrong under an id, which is all the client is told. */
  #failed(type: string, id: RequestId | undefined, number: number, error: unknown) {
    const requestId = this.#requestId(number);
    this.#node.services.log.error({ err: error, requestId, type }, 'command failed');
    const fault = internal(requestId);
    return { reply: encodeRefusal(type, id, fault), code: fault.code };
  }

  /** The session, which `listSessions` and the log of connections have, and which of its commands it was. */
  #requestId(number: number): string {
    return `${this.#context.sessionId}.${number}`;
  }
}

/** A command that was accepted. */
class CommandTask implements QueuedCommand {
  readonly pipelined: boolean;
  readonly bytes: number;
  readonly #receiver: CommandReceiver;
  readonly #command: Command;
  readonly #frame: string;
  #request: Request | undefined;

  constructor(receiver: CommandReceiver, command: Command, frame: string, request: Request, bytes: number) {
    this.pipelined = command.pipelined;
    this.bytes = bytes;
    this.#receiver = receiver;
    this.#command = command;
    this.#frame = frame;
    this.#request = request;
  }

  /** Parsed JSON may take thirty times its text: what has to wait is read anew when its turn comes. */
  wait(): void {
    this.#request = undefined;
  }

  run(answer: (reply: string) => void): void {
    const request = this.#request ?? readRequest(this.#frame);
    this.#request = undefined;
    this.#receiver.execute(this.#command, request, answer);
  }
}

/** Encodes a reply; throws when it cannot be encoded, or is larger than any reply may be. */
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

function encodeRefusal(
  type: string,
  id: RequestId | undefined,
  { code, message, retryAfter }: ApiError,
): string {
  return encodeError(type, code, message, retryAfter, id);
}

const BINARY: Request = {
  type: UNKNOWN_TYPE,
  id: undefined,
  params: undefined,
  problem: new ApiError('BAD_REQUEST', 'The frame is binary; expected a text frame with JSON'),
};

function unknownType(type: string): ApiError {
  return new ApiError('UNKNOWN_TYPE', `There is no command "${type.slice(0, 64)}"`);
}

const overloaded = (): ApiError =>
  new LimitError('memory', 'UNAVAILABLE', 'The server is overloaded; retry in a moment', 1);
