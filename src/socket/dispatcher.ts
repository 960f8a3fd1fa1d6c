import type { Command, CommandServices } from '../commands/define.ts';
import { refusalOf } from '../database/failures.ts';
import { ApiError, internal, LimitError } from '../errors.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { Connection, Receiver } from './Connection.ts';
import { CloseCode } from './closeCodes.ts';
import { encodeError, encodeReply, type Request, readRequest, UNKNOWN_TYPE } from './frames.ts';
import { Lane, type Task } from './Lane.ts';
import { createPaces } from './pace.ts';

/** Opens the receiving end of a connection: takes its frames, answers each in order. */
export type Dispatcher = (connection: Connection) => Receiver;

export interface DispatcherOptions {
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  /** Whether rates of commands are limited. */
  readonly isLimited: boolean;
}

/**
 * Routes requests to the commands of the registry: reads the envelope, finds the command, validates, runs it
 * and encodes what comes of it. Knows no command by name.
 */
export function createDispatcher(
  commands: ReadonlyMap<string, Command>,
  services: CommandServices,
  { metrics, tracing, isLimited }: DispatcherOptions,
): Dispatcher {
  const { limits, log } = services;
  const isVerbose = log.isLevelEnabled('debug');
  const paceOf = isLimited ? createPaces(limits) : undefined;
  return (connection) => {
    const context = {
      ...services,
      session: connection.session,
      sessionId: connection.sessionId,
      origin: connection.id,
    };
    const lane = new Lane((reply) => connection.send(reply));
    const pace = paceOf?.(connection.session.userId);
    let requests = 0;

    function accept(request: Request): void {
      if (lane.length < limits.unansweredPerConnection) lane.push(taskFor(request));
      else {
        metrics.limited('unanswered');
        connection.close(CloseCode.TooManyRequests, 'Too many unanswered requests');
      }
    }

    function taskFor(request: Request): Task {
      const command = commands.get(request.type);
      const problem = overLimit(command) ?? request.problem; // frames that cannot be read cost, too
      if (command && !problem)
        return { pipelined: command.pipelined, run: (answer) => execute(command, request, answer) };
      const refusal = problem ?? unknownType(request.type);
      metrics.commandRefused(command?.type ?? UNKNOWN_TYPE, refusal);
      return { pipelined: true, run: (answer) => answer(encodeRefusal(request, refusal)) };
    }

    function overLimit(command: Command | undefined): ApiError | undefined {
      const seconds = pace?.take(command);
      if (seconds === undefined) return undefined;
      return new LimitError('commands', 'RATE_LIMITED', 'Too many commands; slow down', seconds);
    }

    function execute(command: Command, request: Request, answer: (reply: string) => void): void {
      const start = performance.now();
      const number = ++requests;
      const { type } = command;
      const trace = tracing?.begin(type, { 'parley.session': context.sessionId });
      command.execute(request.params, trace ? { ...context, trace } : context, (outcome) => {
        if ('fields' in outcome) {
          done('ok');
          answer(encodeReply(type, outcome.fields, request.id));
        } else {
          const refusal = refusalOf(outcome.error) ?? bug(outcome.error, type, requestId(number));
          done(refusal.code);
          metrics.limitReached(refusal);
          answer(encodeRefusal(request, refusal));
        }
      });

      function done(outcome: string): void {
        metrics.commandDone(type, outcome, start);
        trace?.end(outcome);
        if (isVerbose)
          log.debug(
            { requestId: requestId(number), type, outcome, ms: performance.now() - start },
            'command',
          );
      }
    }

    /** The session, which `listSessions` and the log of connections have, and which of its commands it was. */
    function requestId(number: number): string {
      return `${context.sessionId}.${number}`;
    }

    return {
      onFrame: (frame) => accept(readRequest(frame)),
      onBinary: () => accept(BINARY),
      get unanswered() {
        return lane.length;
      },
    };
  };

  /** Logs what went wrong under an id, which is all the client is told. */
  function bug(error: unknown, type: string, requestId: string): ApiError {
    log.error({ err: error, requestId, type }, 'command failed');
    return internal(requestId);
  }
}

function encodeRefusal({ type, id }: Request, { code, message, retryAfter }: ApiError): string {
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
