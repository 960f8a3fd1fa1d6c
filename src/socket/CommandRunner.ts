import type { Command, Outcome } from '../commands/define.ts';
import { isTimeout, refusalOf } from '../database/failures.ts';
import type { Trace } from '../observability/tracing.ts';
import { internal } from '../protocol/errors.ts';
import { encodeError, type RequestId } from '../protocol/frames.ts';
import type { ReceiverServices } from './receiverServices.ts';
import { encodeSuccess } from './replies.ts';

/** The facts of a command that running it needs. */
type RunCommand = Pick<Command, 'type' | 'reads' | 'pipelined'>;

/** Runs a command, with a trace if it is recorded, and calls `done` once with the outcome. Never throws. */
export type Work = (trace: Trace | undefined, done: (outcome: Outcome) => void) => void;

/** Runs the commands of one connection: makes their replies, measures, traces and logs them. */
export class CommandRunner {
  readonly #shared: ReceiverServices;
  /** Returns the session, which `listSessions` and the log of connections have, or the connection. */
  readonly #session: () => number | string;
  /** Whose commands they are, for the log. */
  readonly #owner: Readonly<Record<string, number>>;
  #requests = 0;

  constructor(
    shared: ReceiverServices,
    session: () => number | string,
    owner: Readonly<Record<string, number>>,
  ) {
    this.#shared = shared;
    this.#session = session;
    this.#owner = owner;
  }

  /** Does the work of a command and calls `answer` with its reply. */
  run(command: RunCommand, id: RequestId | undefined, work: Work, answer: (reply: string) => void): void {
    const { tracing } = this.#shared;
    const start = performance.now();
    const number = ++this.#requests;
    const trace = tracing?.begin(command.type, { 'parley.session': this.#session() });
    work(trace, (outcome) => {
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

  /** Returns the reply. Never throws: an outcome that cannot be encoded is the fault of this command alone. */
  #encode(
    { type, reads, pipelined }: RunCommand,
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
      ...this.#owner,
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

  /** Returns the session and the number of the command in it. */
  #requestId(number: number): string {
    return `${this.#session()}.${number}`;
  }
}
