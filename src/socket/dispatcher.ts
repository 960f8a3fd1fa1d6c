import { randomUUID } from 'node:crypto';
import type { Command, CommandServices } from '../commands/define.ts';
import { ApiError, type ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Metrics } from '../metrics.ts';
import type { Connection, Receiver } from './Connection.ts';
import { CloseCode } from './closeCodes.ts';
import { encodeError, encodeReply, type Request, readRequest, UNKNOWN_TYPE } from './frames.ts';
import { Lane, type Task } from './Lane.ts';
import { TokenBucket } from './TokenBucket.ts';

/** Opens the receiving end of a connection: takes its frames, answers each in order. */
export type Dispatcher = (connection: Connection) => Receiver;

/**
 * Routes requests to the commands of the registry: reads the envelope, finds the command, validates, runs it
 * and encodes what comes of it. Knows no command by name.
 */
export function createDispatcher(
  commands: ReadonlyMap<string, Command>,
  services: CommandServices,
  metrics: Metrics,
  rateLimited: boolean,
): Dispatcher {
  return (connection) => {
    const context = { ...services, session: connection.session, origin: connection.id };
    const lane = new Lane((reply) => connection.send(reply));
    const bucket = rateLimited ? new TokenBucket(limits.commandBurst, limits.commandsPerSecond) : undefined;

    function accept(request: Request): void {
      if (lane.length < limits.unansweredPerConnection) lane.push(taskFor(request));
      else connection.close(CloseCode.TooManyRequests, 'Too many unanswered requests');
    }

    function taskFor(request: Request): Task {
      const command = commands.get(request.type);
      const problem = request.problem ?? (command ? overLimit() : unknownType(request.type));
      if (problem || !command) return { pipelined: true, run: (answer) => answer(refuse(request, problem)) };
      return { pipelined: command.pipelined, run: (answer) => execute(command, request, answer) };
    }

    function overLimit(): ApiError | undefined {
      if (!bucket || bucket.take()) return undefined;
      return new ApiError('RATE_LIMITED', 'Too many commands on this connection; slow down', 1);
    }

    function execute(command: Command, request: Request, answer: (reply: string) => void): void {
      const start = performance.now();
      command.execute(request.params, context, (outcome) => {
        if ('fields' in outcome) {
          metrics.commandDone(command.type, 'ok', start);
          answer(encodeReply(command.type, outcome.fields, request.id));
        } else {
          metrics.commandDone(command.type, codeOf(outcome.error), start);
          answer(refuse(request, outcome.error));
        }
      });
    }

    return {
      onFrame: (frame) => accept(readRequest(frame)),
      onBinary: () => accept(BINARY),
      get unanswered() {
        return lane.length;
      },
    };
  };

  function refuse({ type, id }: Request, error: unknown): string {
    if (error instanceof ApiError) return encodeError(type, error.code, error.message, id);
    const requestId = randomUUID();
    services.log.error({ err: error, requestId, type }, 'command failed');
    return encodeError(type, 'INTERNAL', `The server failed on this request (${requestId})`, id);
  }
}

const BINARY: Request = {
  type: UNKNOWN_TYPE,
  id: undefined,
  params: undefined,
  problem: new ApiError('BAD_REQUEST', 'The frame is binary; expected a text frame with JSON'),
};

function codeOf(error: unknown): ErrorCode {
  return error instanceof ApiError ? error.code : 'INTERNAL';
}

function unknownType(type: string): ApiError {
  return new ApiError('UNKNOWN_TYPE', `There is no command "${type.slice(0, 64)}"`);
}
