import type { CommandContext } from '../commands/context.ts';
import type { Command } from '../commands/define.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { Request } from '../protocol/frames.ts';
import type { ActingUsers } from './ActingUsers.ts';
import { actingReference } from './actingReference.ts';
import type { CommandQueue } from './CommandQueue.ts';
import type { CommandRunner, Work } from './CommandRunner.ts';
import type { Executor } from './CommandTask.ts';

interface UserQueueOptions {
  readonly userId: UserId;
  readonly queue: CommandQueue;
  readonly context: CommandContext;
  readonly users: ActingUsers;
  readonly runner: CommandRunner;
  /** Returns true once the server has ended the connection: nothing more begins. */
  readonly isStopped: () => boolean;
}

/** The commands that a service connection sends as one user, in their order. */
export class UserQueue implements Executor<Command> {
  readonly commands: CommandQueue;
  readonly #options: UserQueueOptions;
  /** Resolves when the user was checked for all commands so far. */
  #checked: Promise<void> = Promise.resolve();

  constructor(options: UserQueueOptions) {
    this.commands = options.queue;
    this.#options = options;
  }

  /** Runs a command if the user may still act, after the earlier ones that run beside it. */
  execute(command: Command, request: Request, answer: (reply: string) => void): void {
    const { id, params } = request;
    const { userId, context, users, runner, isStopped } = this.#options;
    const work: Work = (trace, done) => {
      const refusal = users.refusalOf(actingReference(request), userId);
      this.#checked = this.#checked
        .then(() => refusal)
        .then((error) => {
          if (isStopped()) done({ error: closed() });
          else if (error !== undefined) done({ error });
          else command.execute(params, trace ? { ...context, trace } : context, done);
        });
    };
    runner.run(command, id, work, answer);
  }
}

/** The outcome of a command that the server did not begin: nobody receives it, but it is measured and its trace ends. */
const closed = () => new ApiError('UNAVAILABLE', 'The connection has closed', 1);
