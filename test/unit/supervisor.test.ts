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
  readonly signalCode = null;

  exit(code: number): void {
    this.exitCode = code;
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

  async end(worker: ChildProcess): Promise<void> {
    (worker as unknown as FakeWorker).exit(0);
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

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
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
    expect(printed.filter((line) => line.startsWith('restarting'))).to.deep.equal([
      'restarting worker 0 in 1 s',
      'restarting worker 0 in 2 s',
      'restarting worker 0 in 4 s',
      'restarting worker 0 in 8 s',
    ]);
  });

  it('begins again with the shortest pause once a worker has served for more than a minute', async () => {
    supervise(1);
    for (const pause of [1_000, 2_000, 4_000]) {
      await serve(60_000);
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
    expect(old.map((worker) => worker?.exitCode)).to.deep.equal([0, null]);
    expect(workers.only.index).to.equal(1);
    await workers.only.succeed();
    await replaced;
    expect(old.map((worker) => worker?.exitCode)).to.deep.equal([0, 0]);
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

  it('starts nothing after it was asked to stop', async () => {
    const supervisor = supervise(1);
    await workers.only.fail();
    await supervisor.stop('SIGTERM');
    await pass(1_000);
    expect(workers.starts).to.be.empty;
    expect(exitCodes).to.deep.equal([0]);
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
