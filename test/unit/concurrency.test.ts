import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { ConcurrencyLimit, type ConcurrencyOptions } from '../../src/commands/ConcurrencyLimit.ts';
import type { UserId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';

const [ada, bob, cleo, dan]: readonly [UserId, UserId, UserId, UserId] = [id(1), id(2), id(3), id(4)];

/** Tasks that run until they are released by name, and their outcomes. */
class Work {
  readonly limit: ConcurrencyLimit;
  readonly started: string[] = [];
  readonly refused: Record<string, string> = {};
  readonly problems: string[] = [];
  readonly #ends = new Map<string, () => void>();

  constructor(options: ConcurrencyOptions) {
    this.limit = new ConcurrencyLimit(options);
  }

  begin(userId: UserId, ...names: string[]): void {
    for (const name of names)
      this.limit
        .run(userId, () => {
          this.started.push(name);
          return new Promise<void>((resolve) => this.#ends.set(name, resolve));
        })
        .catch(({ code, limit, message }) => {
          this.refused[name] = code;
          this.problems.push(`${limit}: ${message}`);
        });
  }

  async end(...names: string[]): Promise<void> {
    for (const name of names) {
      this.#ends.get(name)?.();
      await turn();
    }
  }
}

describe('limited work', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));

  it('of one user runs up to its limit, concurrently with that of others', async () => {
    const work = new Work({ perUser: 2 });
    work.begin(ada, 'a1', 'a2', 'a3', 'a4');
    work.begin(bob, 'b1');
    expect(work.started).to.deep.equal(['a1', 'a2', 'b1']);
    expect(work.limit.waiting).to.equal(2);
    await work.end('b1');
    expect(work.started).to.have.length(3);
    await work.end('a2', 'a1');
    expect(work.started.slice(3)).to.deep.equal(['a3', 'a4']);
  });

  it('of all users runs up to its limit, and users take turns', async () => {
    const work = new Work({ perUser: 1, total: 2 });
    work.begin(ada, 'a1', 'a2', 'a3');
    work.begin(bob, 'b1', 'b2');
    work.begin(cleo, 'c1');
    work.begin(dan, 'd1');
    expect(work.started).to.deep.equal(['a1', 'b1']);
    await work.end('a1', 'c1', 'b1', 'd1', 'a2', 'b2');
    expect(work.started.slice(2)).to.deep.equal(['c1', 'd1', 'a2', 'b2', 'a3']);
  });

  it('leaves room for others while one user has more waiting', async () => {
    const work = new Work({ perUser: 1, total: 2 });
    work.begin(ada, 'a1', 'a2');
    work.begin(bob, 'b1');
    await work.end('b1');
    work.begin(bob, 'b2');
    expect(work.started).to.deep.equal(['a1', 'b1', 'b2']);
  });

  it('keeps to the limit of a user while some of it ends', async () => {
    const work = new Work({ perUser: 2 });
    work.begin(ada, 'a1', 'a2', 'a3', 'a4');
    await work.end('a1');
    work.begin(ada, 'late');
    expect(work.started).to.deep.equal(['a1', 'a2', 'a3']);
    await work.end('a2', 'a3', 'a4', 'late');
    work.begin(ada, 'a5', 'a6', 'a7');
    expect(work.started.slice(5)).to.deep.equal(['a5', 'a6']);
  });

  it('of one user below the limit waits only for the limit of all', async () => {
    const work = new Work({ perUser: 3, total: 2 });
    work.begin(ada, 'a1', 'a2', 'a3');
    work.begin(bob, 'b1');
    expect(work.started).to.deep.equal(['a1', 'a2']);
    await work.end('a1');
    expect(work.started).to.deep.equal(['a1', 'a2', 'a3']);
    await work.end('a2');
    expect(work.started.at(-1)).to.equal('b1');
  });

  it('that fails makes room for others too', async () => {
    const limit = new ConcurrencyLimit({ perUser: 1, total: 1 });
    const failed = limit.run(ada, () => Promise.reject(new Error('no')));
    const next = limit.run(bob, async () => 'done');
    expect(await failed.catch(({ message }) => message)).to.equal('no');
    expect(await next).to.equal('done');
  });

  it('is refused to a user with too much waiting, and to no user with none', async () => {
    const work = new Work({ perUser: 1, total: 1, wait: { perUser: 2, total: 3, milliseconds: 5000 } });
    work.begin(ada, 'a1', 'a2', 'a3', 'a4');
    await turn();
    expect(work.refused).to.deep.equal({ a4: 'RATE_LIMITED' });
    work.begin(bob, 'b1', 'b2');
    work.begin(cleo, 'c1', 'c2');
    work.begin(dan, 'd1');
    await turn();
    expect(work.refused).to.deep.equal({ a4: 'RATE_LIMITED', b2: 'RATE_LIMITED', c2: 'RATE_LIMITED' });
    await work.end('a1', 'b1', 'c1', 'd1', 'a2');
    expect(work.started).to.deep.equal(['a1', 'b1', 'c1', 'd1', 'a2', 'a3']);
  });

  it('waits for a limited time, and then is refused with the reason: the user’s own work, or that of others', async () => {
    const work = new Work({ perUser: 1, total: 1, wait: { perUser: 2, total: 9, milliseconds: 5000 } });
    work.begin(ada, 'a1', 'a2');
    work.begin(bob, 'b1');
    mock.timers.tick(4999);
    work.begin(cleo, 'c1');
    mock.timers.tick(1);
    await turn();
    expect(work.refused).to.deep.equal({ a2: 'RATE_LIMITED', b1: 'UNAVAILABLE' });
    expect(work.problems).to.deep.equal([
      'heavy: Too many commands of this kind at once; wait for their replies',
      'heavy: The server is running too many commands of this kind; retry in a moment',
    ]);
    await work.end('a1', 'c1');
    mock.timers.tick(5000);
    expect([work.started, work.limit.waiting]).to.deep.equal([['a1', 'c1'], 0]);
    expect(Object.keys(work.refused)).to.have.length(2);
  });
});
