import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { ByteBudget } from '../../src/ByteBudget.ts';
import type { CommandContext } from '../../src/commands/context.ts';
import type { Command, Outcome } from '../../src/commands/define.ts';
import { ApiError, type ErrorCode } from '../../src/protocol/errors.ts';
import { readRequest } from '../../src/protocol/frames.ts';
import type { ActingUsers } from '../../src/socket/ActingUsers.ts';
import { CommandQueue } from '../../src/socket/CommandQueue.ts';
import type { CommandRunner, Work } from '../../src/socket/CommandRunner.ts';
import { UnansweredBytes } from '../../src/socket/UnansweredBytes.ts';
import { UserQueue } from '../../src/socket/UserQueue.ts';
import { id } from '../support/ids.ts';

/** The queue of a user for whom the answers of `checks` decide whether commands run, and what has happened. */
function newUserQueue() {
  const events: string[] = [];
  const checks: ((refusal?: ErrorCode) => void)[] = [];
  let isStopped = false;
  const check = () =>
    new Promise<unknown>((resolve) => checks.push((code) => resolve(code && new ApiError(code))));
  const codeOf = (outcome: Outcome) => ('error' in outcome ? (outcome.error as ApiError).code : 'ok');
  const queue = new UserQueue({
    userId: id(1),
    queue: new CommandQueue({
      send: () => {},
      hasRoom: () => true,
      memory: new UnansweredBytes(new ByteBudget(1_000_000, 1).of('key 1')),
    }),
    context: {} as CommandContext,
    users: { refusalOf: check } as unknown as ActingUsers,
    runner: {
      run: (command: Command, _: unknown, work: Work) =>
        work(undefined, (outcome) => events.push(`${command.type} ends: ${codeOf(outcome)}`)),
    } as unknown as CommandRunner,
    isStopped: () => isStopped,
  });
  const run = (type: string) => {
    const execute = (_: unknown, __: unknown, done: (outcome: Outcome) => void) => {
      events.push(`${type} runs`);
      done({ fields: {} });
    };
    const request = readRequest(JSON.stringify({ type, params: {}, as: { userId: 1 } }));
    queue.execute({ type, execute } as unknown as Command, request, () => {});
  };
  const stop = () => {
    isStopped = true;
  };
  return { events, checks, run, stop };
}

describe('the commands of a service as one user', () => {
  it('run once the user was checked, in their order, whichever check ends first', async () => {
    const { events, checks, run } = newUserQueue();
    run('one');
    run('two');
    checks[1]?.();
    await turn();
    expect(events).to.be.empty;
    checks[0]?.();
    await turn();
    expect(events).to.deep.equal(['one runs', 'one ends: ok', 'two runs', 'two ends: ok']);
  });

  it('are refused where the user may not act, and the next one is not', async () => {
    const { events, checks, run } = newUserQueue();
    run('one');
    run('two');
    checks[0]?.('FORBIDDEN');
    checks[1]?.();
    await turn();
    expect(events).to.deep.equal(['one ends: FORBIDDEN', 'two runs', 'two ends: ok']);
  });

  it('end without running when the connection has ended, so that they are measured and traced', async () => {
    const { events, checks, run, stop } = newUserQueue();
    run('one');
    stop();
    checks[0]?.();
    await turn();
    expect(events).to.deep.equal(['one ends: UNAVAILABLE']);
  });
});
