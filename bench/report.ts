import { ratios, type Spread, spread } from './statistics.ts';
import type { Figures } from './usage.ts';

/** Figures of one target, one entry per round. */
export type Rounds = readonly (Figures | undefined)[];

/** Returns the values of a figure in all rounds; NaN for failed rounds. */
export const valuesOf = (rounds: Rounds, name: string): number[] =>
  rounds.map((figures) => figures?.[name] ?? Number.NaN);

/** Formats a value with three digits, or with commas for thousands. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  return value.toLocaleString('en', { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : 2 });
}

/** Formats the median and the range of the rounds: `12.5 (11.9–13.1)`. */
export function figures({ median, min, max }: Spread, unit = ''): string {
  const range = Object.is(min, max) ? '' : ` (${figure(min)}–${figure(max)})`;
  return `${figure(median)}${unit}${range}`;
}

/** Formats the differences of ratios from one in percent: `+4.0 % (−1.0–6.1)`. */
export function change(values: readonly number[]): string {
  const { median, min, max } = spread(values.map((value) => (value - 1) * 100));
  return `${median > 0 ? '+' : ''}${figures({ median, min, max }, ' %')}`;
}

/** Formats rows of text as aligned columns. */
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

/**
 * Formats all figures of a scenario: a row per figure, a column per target, and the share of each target of the last
 * one.
 */
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

/** Formats figures named `case: figure`: a row per case with the median of each figure in a column. */
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

/** Formats all figures of a scenario for two checkouts: before, after and the difference within each round. */
export function comparisonTable(before: Rounds, after: Rounds): string {
  const rows = namesIn(new Map([['', before]])).map((name) => [
    `  ${name}`,
    figures(spread(valuesOf(before, name))),
    figures(spread(valuesOf(after, name))),
    change(shares(after, before, name)),
  ]);
  return columns([['', 'before', 'after', 'difference'], ...rows]);
}

/** Returns the figure of one target as a share of another's in each round. */
export const shares = (rounds: Rounds, of: Rounds, name: string): number[] =>
  ratios(valuesOf(rounds, name), valuesOf(of, name));

const namesIn = (results: ReadonlyMap<string, Rounds>): string[] => [
  ...new Set([...results.values()].flat().flatMap((one) => Object.keys(one ?? {}))),
];
