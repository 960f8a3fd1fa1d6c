import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ScenarioName } from '../../bench/catalogue.ts';
import { parseOptions, UsageError } from '../../bench/options.ts';
import { familyTime, nativeMemory, parseStat, processorTime, residentMemory } from '../../bench/processes.ts';
import { change, figures, scenarioTable } from '../../bench/report.ts';
import { type Results, rotated } from '../../bench/rounds.ts';
import { percentiles, ratios, slope, spread } from '../../bench/statistics.ts';
import { goalTable } from '../../bench/table.ts';
import { costPer, type Figures } from '../../bench/usage.ts';

describe('the benchmarks', () => {
  describe('the command line', () => {
    const selected = (...args: string[]) => Object.fromEntries(parseOptions(args).selection);

    it('selects the table of goals in five rounds by default', () => {
      const { rounds, isTable, selection, against } = parseOptions([]);
      expect({ rounds, isTable, against }).to.deep.equal({ rounds: 5, isTable: true, against: undefined });
      expect([...selection.keys()]).to.include.members(['dialogs', '1x1', 'nats', 'history', 'index']);
    });

    it('selects named scenarios once, each on all its targets', () => {
      expect(selected('history', 'dialogs')).to.deep.equal({
        dialogs: ['parley', 'bareSeq', 'bare'],
        history: ['calm'],
      });
      expect(parseOptions(['dialogs'])).to.include({ rounds: 1, isTable: false });
      expect(parseOptions(['dialogs', '--rounds', '3'])).to.include({ rounds: 3 });
    });

    it('combines several names of the same scenario', () => {
      expect(selected('bare')).to.deep.equal({ dialogs: ['bareSeq', 'bare'] });
      expect(selected('cluster', 'group').group).to.have.members(['parley', 'bare', 'twoNodes']);
    });

    it('compares in five rounds', () => {
      expect(parseOptions(['--against', 'HEAD~3', 'dialogs'])).to.include({ against: 'HEAD~3', rounds: 5 });
    });

    it('reports a wrong argument with the expected form', () => {
      const refused = (...args: string[]) =>
        expect(() => parseOptions(args), args.join(' ')).to.throw(UsageError);
      refused('dialog')
        .with.property('message')
        .that.matches(/^dialog is not a scenario; there are table, all, dialogs, /);
      refused('--rounds')
        .with.property('message')
        .that.matches(/^--rounds must be followed by a whole number/);
      refused('--rounds', '1.5');
      refused('--rounds', '0');
      refused('--against')
        .with.property('message')
        .that.matches(/^--against must be followed by a git ref/);
      refused('--against', '--rounds');
      refused('--profile')
        .with.property('message')
        .that.matches(/^--profile is not an option/);
      refused('toString');
    });
  });

  it('fit a line through growing values', () => {
    expect(slope([5, 7, 9, 11])).to.equal(2);
    expect(slope([0, 3, 1, 4])).to.be.closeTo(1, 1e-9);
    expect(slope([4, 4, 4])).to.equal(0);
  });

  it('compute the median and the range, without failed measurements or shares of zero', () => {
    expect(spread([3, 1, 2])).to.deep.equal({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, Number.NaN, 2, 3, Number.POSITIVE_INFINITY])).to.deep.equal({
      median: 2.5,
      min: 1,
      max: 4,
    });
    expect(spread([])).to.deep.equal({ median: Number.NaN, min: Number.NaN, max: Number.NaN });
    expect(ratios([10, 20, 30], [20, 20])).to.deep.equal([0.5, 1, Number.NaN]);
    expect(percentiles(Array.from({ length: 200 }, (_, n) => n))).to.deep.equal({
      p50: 100,
      p95: 190,
      p99: 198,
      max: 199,
    });
  });

  it('print a figure with its range, and a difference in percent', () => {
    expect(figures(spread([18_000.4, 17_000, 19_000]))).to.equal('18,000 (17,000–19,000)');
    expect(figures(spread([12.345]), ' µs')).to.equal('12.3 µs');
    expect(change([1.1, 0.95, 1.04])).to.equal('+4 % (-5–10)');
    expect(figures(spread([]))).to.equal('–');
  });

  it('begin with another target in each round', () => {
    expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).to.deep.equal([
      'abc',
      'bca',
      'cab',
      'abc',
    ]);
  });

  it('read the processor time of a process whose name contains brackets and spaces', () => {
    const line =
      '42 (a) b (c)) S 7 42 42 0 -1 4194304 1 2 3 4 150 25 30 5 20 0 11 0 100 1000 200 18446744073709551615';
    expect(parseStat(line)).to.deep.equal({ parent: 7, threads: 11, own: 1_750_000, endedChildren: 350_000 });
  });

  it('read the processor time of this process', function () {
    if (process.platform !== 'linux') this.skip();
    const time = processorTime(process.pid);
    expect(time).to.be.above(0);
    expect(familyTime(process.pid)).to.be.at.least(time);
  });

  it('read the memory of this process', function () {
    if (process.platform !== 'linux') this.skip();
    expect(nativeMemory(process.pid)).to.be.within(1, residentMemory(process.pid));
  });

  it('compute the costs of one message', () => {
    const from = { server: 1_000, database: 500, broker: 0, wal: 10_000 };
    const to = { server: 3_000, database: 1_500, broker: 0, wal: 50_000 };
    expect(costPer(100, from, to)).to.deep.equal({
      'server µs': 20,
      'database µs': 10,
      'work µs': 30,
      'WAL bytes': 400,
    });
    expect(costPer(100, from, { ...to, broker: 400 })).to.include({ 'broker µs': 4, 'work µs': 34 });
  });

  const rate = (value: number) => ({ 'acknowledged/s': value });

  it('compare each round with the reference of the same round', () => {
    const table = scenarioTable(
      new Map([
        ['parley', [rate(10), undefined, rate(30)]],
        ['bare', [rate(20), rate(20), rate(40)]],
      ]),
      'acknowledged/s',
    );
    expect(table.split('\n').map((line) => line.split(/ {2,}/))).to.deep.equal([
      ['', 'parley', 'bare'],
      ['', 'acknowledged/s', '20 (10–30)', '20 (20–40)'],
      ['', 'acknowledged/s, of bare', '0.63 (0.5–0.75)', '1'],
    ]);
  });

  it('report which of the measured goals are reached', () => {
    const results: Results = new Map<ScenarioName, Map<string, Figures[]>>([
      [
        'dialogs',
        new Map([
          ['parley', [rate(60)]],
          ['bare', [rate(100)]],
        ]),
      ],
      ['history', new Map([['calm', [{ 'work µs': 2_100 }]]])],
    ]);
    expect(
      goalTable(results)
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    ).to.deep.equal([
      ['goal', 'measured', 'must', 'reached'],
      ['dialogs 50 × 16, share of the bare server', '0.6', '≥ 0.5', 'yes'],
      ['history page of 20, work in server and database', '2.1 ms', '≤ 2 ms', 'no'],
    ]);
  });

  it('read the memory of a server also after one of its worker threads has ended', async () => {
    const probe = fileURLToPath(new URL('../../bench/memoryProbe.mjs', import.meta.url));
    const script = `
      const { Worker } = require('node:worker_threads');
      const thread = new Worker(new URL('data:text/javascript,setTimeout(() => {}, 10)'));
      thread.on('exit', () => process.stdout.write('ended'));
      setInterval(() => {}, 1_000);
    `;
    const child = spawn(process.execPath, ['--expose-gc', '--import', probe, '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    try {
      await once(child.stdout as Duplex, 'data');
      const pipe = child.stdio[3] as Duplex;
      pipe.write('?');
      const answer = await once(pipe, 'data', { signal: AbortSignal.timeout(5_000) });
      expect(Number(answer.toString())).to.be.greaterThan(1_000_000);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
