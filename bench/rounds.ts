import { SCENARIOS, type Scenario, type ScenarioName } from './catalogue.ts';
import type { ScaleOptions } from './scenarios/scale.ts';
import { type Kind, startTarget, type Target } from './targets.ts';
import type { Figures } from './usage.ts';

/** A target of a run: its kind, the checkout whose build it runs, and its name in the report. */
export interface Column {
  readonly label: string;
  readonly kind: Kind;
  readonly checkout: string;
}

/** A scenario and its targets. */
export interface Plan {
  readonly name: ScenarioName;
  readonly columns: readonly Column[];
}

/** Figures by scenario and label, one entry per round; undefined for failures. */
export type Results = ReadonlyMap<ScenarioName, ReadonlyMap<string, readonly (Figures | undefined)[]>>;

/**
 * Runs every scenario on each of its targets once per round, so that other load on the machine affects all of them.
 * Targets are started on first use; those that are not being measured are frozen.
 */
export async function runRounds(
  plans: readonly Plan[],
  rounds: number,
  scale: ScaleOptions,
  progress: (line: string) => void,
): Promise<Results> {
  const results = new Map(
    plans.map(({ name, columns }) => [
      name,
      new Map(columns.map(({ label }) => [label, [] as (Figures | undefined)[]])),
    ]),
  );
  const targets = new Map<string, Target>();

  async function measure(scenario: Scenario, { label, kind, checkout }: Column): Promise<Figures> {
    if (scenario.isFresh) {
      const target = await startTarget(kind, checkout, scenario.people);
      try {
        return await scenario.run(target, kind, scale);
      } finally {
        await target.stop();
      }
    }
    const known = targets.get(label);
    const target = known ?? (await startTarget(kind, checkout));
    targets.set(label, target);
    if (known) await target.thaw();
    try {
      return await scenario.run(target, kind, scale);
    } finally {
      target.freeze();
    }
  }

  for (let round = 0; round < rounds; round++)
    for (const { name, columns } of plans)
      for (const column of rotated(columns, round)) {
        const scenario: Scenario = SCENARIOS[name];
        const title = `${round + 1}/${rounds} ${name}, ${column.label}`;
        const figures = await measure(scenario, column).catch((error) => {
          progress(`${title} failed: ${error.message}`);
          return undefined;
        });
        results.get(name)?.get(column.label)?.push(figures);
        if (figures) progress(`${title}: ${scenario.headline} ${figures[scenario.headline]?.toFixed(1)}`);
      }
  for (const target of targets.values()) await target.stop();
  return results;
}

/** Rotates items, so that each round begins with a different one. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % Math.max(items.length, 1);
  return [...items.slice(first), ...items.slice(0, first)];
}
