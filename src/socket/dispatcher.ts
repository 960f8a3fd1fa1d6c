import { ByteBudget } from '../ByteBudget.ts';
import type { Command, CommandContext, CommandServices, Outcome } from '../commands/define.ts';
import { refusalOf } from '../database/failures.ts';
import { ApiError, internal, LimitError } from '../errors.ts';
import { HOLD_BYTES, REPLY_BYTES } from '../limits.ts';
import { encodeSendReply } from '../messages/sendFrames.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { Connection, Receiver } from './Connection.ts';
import { CloseCode } from './closeCodes.ts';
import {
  encodeError,
  encodeReply,
  type Request,
  type RequestId,
  readRequest,
  UNKNOWN_TYPE,
} from './frames.ts';
import { Lane, type Task } from './Lane.ts';
import { createPaces } from './pace.ts';

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
  const {
    writer,
    presence,
    typists,
    positions,
    sessions,
    bus,
    changes,
    db,
    limits,
    log,
    signCursors,
    turns,
  } = services;
  const isVerbose = log.isLevelEnabled('debug');
  const paceOf = isLimited ? createPaces(limits) : undefined;
  const budget = new ByteBudget(limits.unansweredBytes, USER_SHARE);
  return (connection) => {
    // Each property by its name: an object that is spread takes 800 bytes, this one 250.
    const context: CommandContext = {
      writer,
      presence,
      typists,
      positions,
      sessions,
      bus,
      changes,
      db,
      limits,
      log,
      signCursors,
      turns,
      session: connection.session,
      sessionId: connection.sessionId,
      origin: connection.id,
      finish: () => lane.finish(),
    };
    const lane = new Lane({
      send: (reply) => connection.send(reply),
      hasRoom: () => connection.waitingBytes <= HOLD_BYTES,
      budget: budget.of(connection.session.userId),
    });
    const pace = paceOf?.(connection.session.userId);
    let requests = 0;

    function accept(frame: string, request: Request): void {
      if (connection.ended) return;
      const task = taskFor(frame, request);
      const hasRoom =
        lane.length === 0 ||
        (lane.length < limits.unansweredPerConnection &&
          lane.bytes + task.bytes <= limits.unansweredBytesPerConnection &&
          lane.fits(task.bytes, WITH_REFUSALS));
      if (hasRoom) lane.push(task);
      else {
        metrics.limited('unanswered');
        connection.close(CloseCode.TooManyRequests, 'Too many unanswered requests');
      }
    }

    function taskFor(frame: string, request: Request): Task {
      const command = commands.get(request.type);
      const bytes = REQUEST_BYTES + 2 * frame.length; // no string takes more than two bytes a character
      const refusal =
        overLimit(command) ?? // frames that cannot be read cost, too
        request.problem ??
        (command ? undefined : unknownType(request.type)) ??
        (lane.fits(bytes) ? undefined : overloaded());
      if (!command || refusal) return refused(command, request, refusal ?? unknownType(request.type));

      // Parsed JSON may take thirty times its text: what has to wait is read anew when its turn comes.
      let read: Request | undefined = request;
      return {
        pipelined: command.pipelined,
        bytes,
        wait() {
          read = undefined;
        },
        run(answer) {
          const now = read ?? readRequest(frame);
          read = undefined;
          execute(command, now, answer);
        },
      };
    }

    /** Keeps of a request that is refused only what its reply has. */
    function refused(command: Command | undefined, request: Request, refusal: ApiError): Task {
      metrics.commandRefused(command?.type ?? UNKNOWN_TYPE, refusal);
      const reply = encodeRefusal(request.type, request.id, refusal);
      return {
        pipelined: true,
        bytes: REQUEST_BYTES + 2 * reply.length,
        run: (answer) => answer(reply),
      };
    }

    function overLimit(command: Command | undefined): ApiError | undefined {
      const seconds = pace?.take(command);
      if (seconds === undefined) return undefined;
      return new LimitError('commands', 'RATE_LIMITED', 'Too many commands; slow down', seconds);
    }

    function execute(command: Command, { id, params }: Request, answer: (reply: string) => void): void {
      const start = performance.now();
      const number = ++requests;
      const { type } = command;
      const trace = tracing?.begin(type, { 'parley.session': context.sessionId });
      command.execute(params, trace ? { ...context, trace } : context, (outcome) => {
        const { reply, code, refusal } = conclude(outcome);
        if (refusal) metrics.limitReached(refusal);
        metrics.commandDone(type, code, start);
        trace?.end(code);
        if (isVerbose)
          log.debug(
            { requestId: requestId(number), type, outcome: code, ms: performance.now() - start },
            'command',
          );
        try {
          answer(reply);
        } catch (error) {
          log.error({ err: error, requestId: requestId(number), type }, 'reply could not be sent');
        }
      });

      /** The reply. Never throws: what cannot be encoded is the fault of this command alone. */
      function conclude(outcome: Outcome): { reply: string; code: string; refusal?: ApiError } {
        try {
          if ('stored' in outcome) return { reply: encodeSendReply(type, outcome.stored, id), code: 'ok' };
          if ('fields' in outcome) return { reply: encodeBounded(type, outcome.fields, id), code: 'ok' };
          const refusal = refusalOf(outcome.error);
          if (refusal) return { reply: encodeRefusal(type, id, refusal), code: refusal.code, refusal };
          return failed(outcome.error);
        } catch (error) {
          return failed(error);
        }
      }

      /** Logs what went wrong under an id, which is all the client is told. */
      function failed(error: unknown) {
        log.error({ err: error, requestId: requestId(number), type }, 'command failed');
        const fault = internal(requestId(number));
        return { reply: encodeRefusal(type, id, fault), code: fault.code };
      }
    }

    /** The session, which `listSessions` and the log of connections have, and which of its commands it was. */
    function requestId(number: number): string {
      return `${context.sessionId}.${number}`;
    }

    return {
      onFrame: (frame) => accept(frame, readRequest(frame)),
      onBinary: () => accept('', BINARY),
      onDrain: () => lane.resume(),
      onDisconnect() {
        if (lane.length === 0) return;
        lane.resume();
        setTimeout(() => lane.stop(), AFTERTIME).unref();
      },
      stop: () => lane.stop(),
      revoke: () => writer.discard(connection.id),
      unanswered: () => lane.length, // a getter would give each object a hidden class of its own
    };
  };
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
