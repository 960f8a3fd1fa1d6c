import { ratios, type Spread, spread } from './statistics.ts';
import type { Figures } from './usage.ts';

/** Figures of one target, an entry for each round. */
export type Rounds = readonly (Figures | undefined)[];

/** What the rounds measured under a name; NaN where one failed. */
export const valuesOf = (rounds: Rounds, name: string): number[] =>
  rounds.map((figures) => figures?.[name] ?? Number.NaN);

/** Three digits, or thousands with commas. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  return value.toLocaleString('en', { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : 2 });
}

/** The median, and between which values the rounds lie: `12.5 (11.9–13.1)`. */
export function figures({ median, min, max }: Spread, unit = ''): string {
  const range = Object.is(min, max) ? '' : ` (${figure(min)}–${figure(max)})`;
  return `${figure(median)}${unit}${range}`;
}

/** A difference of ratios to one, in percent: `+4.0 % (−1.0–6.1)`. */
export function change(values: readonly number[]): string {
  const { median, min, max } = spread(values.map((value) => (value - 1) * 100));
  return `${median > 0 ? '+' : ''}${figures({ median, min, max }, ' %')}`;
}

/** Rows of text in columns as wide as they have to be. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, n) => {
      widths[n] = Math.max(widths[n] ?? 0, cell.length);
    });
  return rows
    .map((row) =>
      row
        .map((cell, n) => cell.padEnd(widths[n] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** All figures of a scenario: a row for each, a column for each target, and the share that each is of the last one. */
export function scenarioTable(results: ReadonlyMap<string, Rounds>, headline: string): string {
  const labels = [...results.keys()];
  const yardstick = labels.at(-1) as string;
  const rows = namesIn(results).map((name) => [
    `  ${name}`,
    ...[...results.values()].map((rounds) => figures(spread(valuesOf(rounds, name)))),
  ]);
  if (labels.length > 1)
    rows.push([
      `  ${headline}, of ${yardstick}`,
      ...[...results.values()].map((rounds) =>
        figures(spread(shares(rounds, results.get(yardstick) ?? [], headline))),
      ),
    ]);
  return columns([['', ...labels], ...rows]);
}

/** Figures that are named `case: figure`: a row for each case, the median of each figure in a column. */
export function caseTable(rounds: Rounds): string {
  const rows = new Map<string, Map<string, string>>();
  for (const name of namesIn(new Map([['', rounds]]))) {
    const at = name.lastIndexOf(': ');
    const row = rows.get(name.slice(0, at)) ?? new Map();
    rows.set(name.slice(0, at), row.set(name.slice(at + 2), figure(spread(valuesOf(rounds, name)).median)));
  }
  const names = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))];
  return columns([
    ['', ...names],
    ...[...rows].map(([name, row]) => [`  ${name}`, ...names.map((column) => row.get(column) ?? '')]),
  ]);
}

/** All figures of a scenario for two checkouts: before, after and the difference, which is of each round's two. */
export function comparisonTable(before: Rounds, after: Rounds): string {
  const rows = namesIn(new Map([['', before]])).map((name) => [
    `  ${name}`,
    figures(spread(valuesOf(before, name))),
    figures(spread(valuesOf(after, name))),
    change(shares(after, before, name)),
  ]);
  return columns([['', 'before', 'after', 'difference'], ...rows]);
}

/** In each round, the figure of one target as a share of another's. */
export const shares = (rounds: Rounds, of: Rounds, name: string): number[] =>
  ratios(valuesOf(rounds, name), valuesOf(of, name));

const namesIn = (results: ReadonlyMap<string, Rounds>): string[] => [
  ...new Set([...results.values()].flat().flatMap((one) => Object.keys(one ?? {}))),
];
