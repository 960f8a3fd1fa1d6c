import { randomUUID } from 'node:crypto';
import type { Command, CommandServices } from '../commands/define.ts';
import { refusalOf } from '../database/failures.ts';
import { ApiError } from '../errors.ts';
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
    const context = {
      ...services,
      session: connection.session,
      sessionId: connection.sessionId,
      origin: connection.id,
    };
    const lane = new Lane((reply) => connection.send(reply));
    const bucket = rateLimited ? new TokenBucket(limits.commandBurst, limits.commandsPerSecond) : undefined;

    const buckets = new Map<string, TokenBucket>();

    function accept(request: Request): void {
      if (lane.length < limits.unansweredPerConnection) lane.push(taskFor(request));
      else connection.close(CloseCode.TooManyRequests, 'Too many unanswered requests');
    }

    function taskFor(request: Request): Task {
      const command = commands.get(request.type);
      const problem = request.problem ?? overLimit(command);
      if (command && !problem)
        return { pipelined: command.pipelined, run: (answer) => execute(command, request, answer) };
      const refusal = problem ?? unknownType(request.type);
      return { pipelined: true, run: (answer) => answer(encodeRefusal(request, refusal)) };
    }

    function overLimit(command: Command | undefined): ApiError | undefined {
      if (!bucket || (bucket.take() && bucketOf(command)?.take() !== false)) return undefined;
      return new ApiError('RATE_LIMITED', 'Too many commands on this connection; slow down', 1);
    }

    function bucketOf(command: Command | undefined): TokenBucket | undefined {
      if (!command?.rate) return undefined;
      const { burst, perSecond } = command.rate;
      const own = buckets.get(command.type) ?? new TokenBucket(burst, perSecond);
      buckets.set(command.type, own);
      return own;
    }

    function execute(command: Command, request: Request, answer: (reply: string) => void): void {
      const start = performance.now();
      command.execute(request.params, context, (outcome) => {
        if ('fields' in outcome) {
          metrics.commandDone(command.type, 'ok', start);
          answer(encodeReply(command.type, outcome.fields, request.id));
        } else {
          const refusal = refusalOf(outcome.error) ?? bug(outcome.error, request);
          metrics.commandDone(command.type, refusal.code, start);
          answer(encodeRefusal(request, refusal));
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

  /** Logs what went wrong under an id, which is all the client is told. */
  function bug(error: unknown, { type }: Request): ApiError {
    const requestId = randomUUID();
    services.log.error({ err: error, requestId, type }, 'command failed');
    return new ApiError('INTERNAL', `The server failed on this request (${requestId})`);
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
