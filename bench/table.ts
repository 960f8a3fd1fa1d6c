import type { ScenarioName } from './catalogue.ts';
import { columns, figure, figures, type Rounds, shares, valuesOf } from './report.ts';
import type { Results } from './rounds.ts';
import { spread } from './statistics.ts';

/** A line of the table of goals. */
interface Goal {
  readonly title: string;
  readonly scenario: ScenarioName;
  readonly unit?: string;
  /** The bound of the goal: an upper one if less is better. */
  readonly must: number;
  readonly isLessBetter?: boolean;
  /** The figure in each round. */
  values(rounds: RoundsOf): number[];
}

type RoundsOf = (label: string) => Rounds;

/** Returns a figure of a target as a share of another's. */
const share = (label: string, of: string, name: string) => (rounds: RoundsOf) =>
  shares(rounds(label), rounds(of), name);
/** Returns by how many percent a figure of a target exceeds another's. */
const more = (label: string, of: string, name: string) => (rounds: RoundsOf) =>
  share(label, of, name)(rounds).map((value) => (value - 1) * 100);
const plain =
  (label: string, name: string, scale = 1) =>
  (rounds: RoundsOf) =>
    valuesOf(rounds(label), name).map((value) => value * scale);

const RATE = 'acknowledged/s';
const less = { isLessBetter: true };

/** The goals for Parley with all functions enabled, relative to the limit of the machine. */
const GOALS: readonly Goal[] = [
  {
    title: 'dialogs 50 × 16, share of the bare server',
    scenario: 'dialogs',
    must: 0.5,
    values: share('parley', 'bare', RATE),
  },
  {
    title: 'dialogs 50 × 1, share of the bare server',
    scenario: '50x1',
    must: 0.5,
    values: share('parley', 'bare', RATE),
  },
  {
    title: '1 × 1, share of the bare server with seq, index behind',
    scenario: '1x1',
    must: 0.8,
    values: share('parley', 'bareSeq', RATE),
  },
  {
    title: '1 × 1, share of the bare server with seq, index caught up',
    scenario: '1x1',
    must: 0.8,
    values: share('calm', 'bareSeq', RATE),
  },
  {
    title: 'latency at 1,000/s, p99 of pushes, of the bare server, index behind',
    scenario: 'latency',
    unit: ' ×',
    must: 2,
    ...less,
    values: share('parley', 'bare', 'push p99'),
  },
  {
    title: 'latency at 1,000/s, p99 of pushes, of the bare server, index caught up',
    scenario: 'latency',
    unit: ' ×',
    must: 2,
    ...less,
    values: share('calm', 'bare', 'push p99'),
  },
  {
    title: 'group of 100, share of the bare server',
    scenario: 'group',
    must: 0.7,
    values: share('parley', 'bare', RATE),
  },
  {
    title: 'search index, database time per message',
    scenario: 'index',
    unit: ' µs',
    must: 25,
    ...less,
    values: plain('indexing', 'database µs'),
  },
  {
    title: 'search index, WAL per message',
    scenario: 'index',
    unit: ' bytes',
    must: 800,
    ...less,
    values: plain('indexing', 'WAL bytes'),
  },
  {
    title: 'one node on NATS, processor time more than without',
    scenario: 'nats',
    unit: ' %',
    must: 15,
    ...less,
    values: more('nats', 'parley', 'work µs'),
  },
  {
    title: 'two nodes, the pairs apart, processor time more',
    scenario: 'nats',
    unit: ' %',
    must: 25,
    ...less,
    values: more('twoNodes', 'parley', 'work µs'),
  },
  {
    title: 'p99 of pushes while 20 logins a second are under way, against none',
    scenario: 'logins',
    unit: ' ×',
    must: 2,
    ...less,
    values: plain('calm', 'push p99 times'),
  },
  {
    title: 'history page of 20, work in server and database',
    scenario: 'history',
    unit: ' ms',
    must: 2,
    ...less,
    values: plain('calm', 'work µs', 1e-3),
  },
  {
    title: 'idle connection',
    scenario: 'idle',
    unit: ' KiB',
    must: 5,
    ...less,
    values: plain('parley', 'KiB'),
  },
];

/** The scenarios that the table needs, and `connects`, which has no goal. */
export const TABLE_SCENARIOS: readonly ScenarioName[] = [
  ...new Set([...GOALS.map(({ scenario }) => scenario), 'connects' as const]),
];

/** Formats every goal whose scenario was run: the bound, the measured value, and whether it was reached. */
export function goalTable(results: Results): string {
  const rows = GOALS.filter(({ scenario }) => results.has(scenario)).map((goal) => {
    const { title, scenario, unit = '', must, isLessBetter } = goal;
    const measured = spread(goal.values((label) => results.get(scenario)?.get(label) ?? []));
    const isReached = isLessBetter ? measured.median <= must : measured.median >= must;
    const bound = `${isLessBetter ? '≤' : '≥'} ${figure(must)}${unit}`;
    return [title, figures(measured, unit), bound, isReached ? 'yes' : 'no'];
  });
  return columns([['goal', 'measured', 'must', 'reached'], ...rows]);
}
