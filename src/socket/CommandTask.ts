import type { Command } from '../commands/define.ts';
import { type Request, readRequest } from '../protocol/frames.ts';
import type { QueuedCommand } from './CommandQueue.ts';

/** Bytes of memory that an unanswered request takes beside its text. */
export const REQUEST_BYTES = 256;

/** Runs commands. */
export interface Executor<Kind> {
  execute(command: Kind, request: Request, answer: (reply: string) => void): void;
}

/** A command that was accepted. */
export class CommandTask<Kind extends Pick<Command, 'pipelined'>> implements QueuedCommand {
  readonly pipelined: boolean;
  readonly bytes: number;
  readonly #executor: Executor<Kind>;
  readonly #command: Kind;
  readonly #frame: string;
  #request: Request | undefined;

  constructor(executor: Executor<Kind>, command: Kind, frame: string, request: Request, bytes: number) {
    this.pipelined = command.pipelined;
    this.bytes = bytes;
    this.#executor = executor;
    this.#command = command;
    this.#frame = frame;
    this.#request = request;
  }

  /** Discards the parsed request, which may take thirty times its text: it is parsed again when its turn comes. */
  wait(): void {
    this.#request = undefined;
  }

  run(answer: (reply: string) => void): void {
    const request = this.#request ?? readRequest(this.#frame);
    this.#request = undefined;
    this.#executor.execute(this.#command, request, answer);
  }
}
