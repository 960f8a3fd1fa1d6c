import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Supervisor } from '../../src/Supervisor.ts';
import { untilItListens } from '../../src/Workers.ts';

/** A worker that exits when the test says so. */
class FakeWorker extends EventEmitter {
  readonly pid = 1;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;

  exit(reason: number | NodeJS.Signals): void {
    if (typeof reason === 'number') this.exitCode = reason;
    else this.signalCode = reason;
    this.emit('exit');
  }
}

/** A start of a worker, whose outcome the test decides. */
interface Start {
  readonly index: number;
  succeed(): Promise<FakeWorker>;
  fail(): Promise<void>;
}

class FakeWorkers {
  /** Starts without an outcome. */
  readonly starts: Start[] = [];

  start(index: number): Promise<ChildProcess> {
    return new Promise((resolve, reject) => {
      const decide = async (outcome: () => void) => {
        this.starts.splice(this.starts.indexOf(start), 1);
        outcome();
        await turn();
      };
      const start: Start = {
        index,
        async succeed() {
          const worker = new FakeWorker();
          await decide(() => resolve(worker as EventEmitter as ChildProcess));
          return worker;
        },
        fail: () => decide(() => reject(new Error('it exited with 1'))),
      };
      this.starts.push(start);
    });
  }

  /** Ends a worker, which exits because of the signal. */
  async end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    (worker as unknown as FakeWorker).exit(signal);
  }

  async endAll(): Promise<void> {}

  /** The only start without an outcome. */
  get only(): Start {
    const [start, ...others] = this.starts;
    if (!start || others.length > 0) throw new Error(`${this.starts.length} workers are starting`);
    return start;
  }
}

describe('the supervisor of workers', () => {
  let now = 0;
  let workers: FakeWorkers;
  let printed: string[];
  let exitCodes: unknown[];

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await turn(); // Node warns about the first use of these timers
    mock.method(performance, 'now', () => now);
    printed = [];
    exitCodes = [];
    mock.method(process.stderr, 'write', (text: string) => {
      printed.push(text.trimEnd());
      return true;
    });
    mock.method(process, 'exit', (code: unknown) => {
      exitCodes.push(code);
    });
    workers = new FakeWorkers();
  });

  const supervise = (slots: number) =>
    new Supervisor(workers, slots, (error) => {
      throw error;
    });

  async function pass(milliseconds: number): Promise<void> {
    now += milliseconds;
    mock.timers.tick(milliseconds);
    await turn();
  }

  /** Lets a worker serve for a time and exit. */
  async function serve(milliseconds: number): Promise<void> {
    const worker = await workers.only.succeed();
    now += milliseconds;
    worker.exit(1);
    await turn();
  }

  it('restarts a worker that exits after pauses that double', async () => {
    supervise(1);
    for (const pause of [1_000, 2_000, 4_000, 8_000]) {
      await serve(10);
      await pass(pause - 1);
      expect(workers.starts).to.be.empty;
      await pass(1);
    }
    expect(printed).to.deep.equal(
      [1, 2, 4, 8].flatMap((pause) => ['worker 0 exited with 1', `restarting worker 0 in ${pause} s`]),
    );
  });

  it('begins again with the shortest pause once a worker has served for more than a minute', async () => {
    supervise(1);
    for (const pause of [1_000, 2_000, 4_000]) {
      await serve(60_000);
      expect(printed.at(-1)).to.equal(`restarting worker 0 in ${pause / 1_000} s`);
      await pass(pause);
    }
    await serve(60_001);
    expect(printed.at(-1)).to.equal('restarting worker 0 in 1 s');
    await pass(1_000);
    await serve(10);
    expect(printed.at(-1)).to.equal('restarting worker 0 in 2 s');
  });

  it('gives up on a worker after five failures in a row, and exits with 1 when none is left', async () => {
    supervise(2);
    const [first, second] = workers.starts;
    await second?.succeed();
    await first?.fail();
    expect(printed[0]).to.equal('worker 0 failed to start: it exited with 1');
    for (const pause of [1_000, 2_000, 4_000, 8_000]) {
      await pass(pause);
      await workers.only.fail();
    }
    expect(printed.at(-1)).to.match(/^gave up on worker 0 after 5 starts/);
    await pass(60_000);
    expect(workers.starts).to.be.empty;
    expect(exitCodes).to.be.empty;
  });

  it('exits with 1 when it has given up on all of them', async () => {
    supervise(1);
    for (const pause of [1_000, 2_000, 4_000, 8_000, 0]) {
      await workers.only.fail();
      await pass(pause);
    }
    expect(printed.at(-1)).to.equal('no worker is left');
    expect(exitCodes).to.deep.equal([1]);
  });

  it('replaces workers one after another, and each of them only by one that serves', async () => {
    const supervisor = supervise(2);
    const old = [await workers.starts[0]?.succeed(), await workers.starts[0]?.succeed()];
    const replaced = supervisor.replaceAll();
    await turn();
    expect(workers.only.index).to.equal(0);
    expect(old.map((worker) => worker?.exitCode)).to.deep.equal([null, null]);
    await workers.only.succeed();
    expect(old.map((worker) => worker?.exitCode)).to.deep.equal([null, null]);
    expect(old.map((worker) => worker?.signalCode)).to.deep.equal(['SIGTERM', null]);
    expect(workers.only.index).to.equal(1);
    await workers.only.succeed();
    await replaced;
    expect(old.map((worker) => worker?.signalCode)).to.deep.equal(['SIGTERM', 'SIGTERM']);
    expect(printed).to.be.empty; // nothing has failed, so nothing is restarted
  });

  it('leaves all others as they are if the successor of one does not start', async () => {
    const supervisor = supervise(2);
    const old = [await workers.starts[0]?.succeed(), await workers.starts[0]?.succeed()];
    const replaced = supervisor.replaceAll();
    await turn();
    await workers.only.fail();
    await replaced;
    expect(workers.starts).to.be.empty;
    expect(old.map((worker) => worker?.exitCode)).to.deep.equal([null, null]);
    expect(printed).to.deep.equal(['failed to replace worker 0: it exited with 1; the old one stays']);
  });

  it('replaces the workers once more if that is requested while it replaces them', async () => {
    const supervisor = supervise(1);
    await workers.only.succeed();
    const replaced = supervisor.replaceAll();
    await turn();
    await supervisor.replaceAll();
    await supervisor.replaceAll();
    await workers.only.succeed();
    await workers.only.succeed();
    await replaced;
    expect(workers.starts).to.be.empty;
  });

  it('starts a worker at once that pauses or was given up, when the workers are to be replaced', async () => {
    const supervisor = supervise(2);
    await workers.starts[1]?.succeed();
    await workers.starts[0]?.fail();
    void supervisor.replaceAll();
    await turn();
    await workers.starts[0]?.fail(); // the second failure of worker 0
    await workers.only.succeed();
    for (const pause of [2_000, 4_000, 8_000]) {
      await pass(pause);
      await workers.only.fail();
    }
    expect(printed.at(-1)).to.match(/^gave up on worker 0/);

    void supervisor.replaceAll();
    await turn();
    expect(workers.starts.map(({ index }) => index)).to.deep.equal([0, 1]);
    for (const start of [...workers.starts]) await start.succeed();
  });

  it('restarts the successor of a worker when it exits, by a signal or by itself', async () => {
    const supervisor = supervise(1);
    await workers.only.succeed();
    const replaced = supervisor.replaceAll();
    await turn();
    const successor = await workers.only.succeed();
    await replaced;
    successor.exit('SIGKILL');
    await turn();
    expect(printed).to.deep.equal(['worker 0 exited with SIGKILL', 'restarting worker 0 in 1 s']);
    await pass(1_000);
    await workers.only.succeed();
  });

  it('does not restart a worker that exits while its successor starts, unless that fails', async () => {
    const supervisor = supervise(1);
    for (const outcome of ['succeed', 'fail'] as const) {
      const old = await workers.only.succeed();
      const replaced = supervisor.replaceAll();
      await turn();
      old.exit(1);
      await pass(10_000);
      const successor = await workers.only[outcome]();
      await replaced;
      await turn();
      if (!successor) break;
      expect(printed).to.be.empty;
      successor.exit(1);
      await turn();
      await pass(1_000);
      printed = [];
    }
    expect(printed).to.deep.equal([
      'failed to replace worker 0: it exited with 1; the old one stays',
      'worker 0 exited with 1',
      'restarting worker 0 in 2 s',
    ]);
  });

  it('replaces a worker that starts once it serves, because it may have read the old program', async () => {
    const supervisor = supervise(1);
    const replaced = supervisor.replaceAll();
    await turn();
    const first = await workers.only.succeed();
    expect(first.signalCode).to.equal(null);
    await workers.only.succeed();
    await replaced;
    expect(first.signalCode).to.equal('SIGTERM');
  });

  it('starts nothing after it was asked to stop, and says nothing of workers that end then', async () => {
    const supervisor = supervise(3);
    const [starting, pausing, serving] = [...workers.starts];
    await pausing?.fail();
    const worker = await serving?.succeed();
    printed = [];
    await supervisor.stop('SIGTERM');
    await starting?.fail();
    worker?.exit(0);
    await pass(1_000);
    expect(workers.starts).to.be.empty;
    expect(printed).to.be.empty;
    await supervisor.stop('SIGINT');
    expect(exitCodes).to.deep.equal([0]);
  });

  it('replaces no worker after it was asked to stop, also in the middle of a round', async () => {
    const supervisor = supervise(2);
    for (const start of [...workers.starts]) await start.succeed();
    const replaced = supervisor.replaceAll();
    await turn();
    await supervisor.stop('SIGTERM');
    await workers.only.fail();
    await replaced;
    await supervisor.replaceAll();
    expect(workers.starts).to.be.empty;
    expect(printed).to.be.empty;
  });
});

describe('the time in which a worker must listen', () => {
  /** Returns a worker, and what has become of the wait for it. */
  function starting() {
    const worker = new FakeWorker();
    const state = { worker, outcome: '' };
    untilItListens(worker as EventEmitter as ChildProcess, 10).then(
      () => Object.assign(state, { outcome: 'listens' }),
      ({ message }: Error) => Object.assign(state, { outcome: message }),
    );
    return state;
  }

  async function pass(seconds: number): Promise<void> {
    mock.timers.tick(seconds * 1_000);
    await turn();
  }

  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));

  it('is that of the configuration', async () => {
    const state = starting();
    await pass(9.999);
    expect(state.outcome).to.equal('');
    await pass(0.001);
    expect(state.outcome).to.equal('it did not listen within 10 s');
  });

  it('begins again whenever the worker reports that a migration is running', async () => {
    const state = starting();
    for (let report = 0; report < 5; report++) {
      await pass(9);
      state.worker.emit('message', 'migrating');
    }
    await pass(9.999);
    expect(state.outcome).to.equal('');
    state.worker.emit('message', 'listening');
    await turn();
    expect(state.outcome).to.equal('listens');
  });

  it('ends as long after the last of these reports', async () => {
    const state = starting();
    await pass(9);
    state.worker.emit('message', 'migrating');
    await pass(9.999);
    expect(state.outcome).to.equal('');
    await pass(0.001);
    expect(state.outcome).to.equal('it did not listen within 10 s');
  });
});
