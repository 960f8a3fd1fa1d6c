import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Difference } from './compare.ts';
import { type Failure, type RunOptions, run, smaller } from './run.ts';
import type { Site } from './site.ts';
import { lineOf, type Step, stepsOf } from './steps.ts';

/** Worlds side by side: while one waits, another goes on. */
const WORLDS = 10;
/** Differences that are printed. */
const SHOWN = 6;

/**
 * Runs so many steps of each seed, several seeds at a time; returns the numbers of both. At the first failure it ends,
 * and throws an error with the seed, what differs, the shrunken sequence and how to run it again.
 */
export async function runSeeds(
  site: Site,
  seeds: readonly number[],
  count: number,
  options: RunOptions = {},
): Promise<void> {
  const waiting = [...seeds];
  let failed: { seed: number; failure: Failure } | undefined;
  const worker = async () => {
    for (let seed = waiting.shift(); seed !== undefined && !failed; seed = waiting.shift()) {
      const failure = await run(site, stepsOf(seed, count), options);
      if (failure) failed ??= { seed, failure };
    }
  };
  await Promise.all(Array.from({ length: WORLDS }, worker));
  if (failed) throw new Error(await reportOf(site, failed.seed, count, failed.failure, options));
}

/** Runs steps that were written down. */
export async function runSteps(site: Site, steps: readonly Step[]): Promise<void> {
  const failure = await run(site, steps);
  if (failure) throw new Error(failure.differences.map(toText).join('\n'));
}

async function reportOf(site: Site, seed: number, count: number, failure: Failure, options: RunOptions) {
  const { steps, differences } = await smaller(site, failure, options);
  const file = join(tmpdir(), `differential-${seed}.json`);
  await writeFile(file, JSON.stringify(steps));
  return [
    `seed ${seed}: the client that lives long shows something else than a fresh one`,
    ...differences.slice(0, SHOWN).map(toText),
    ...(differences.length > SHOWN ? [`  and ${differences.length - SHOWN} more`] : []),
    `${steps.length} of ${failure.steps.length} steps show it:`,
    ...steps.map((step) => `  ${lineOf(step)}`),
    `Again: DIFFERENTIAL_SEED=${seed} DIFFERENTIAL_STEPS=${count} npx mocha -g "a client that lives long"`,
    `or DIFFERENTIAL_SEQUENCE=${file} for these steps`,
  ].join('\n');
}

export function toText({ path, shown, right }: Difference): string {
  return `  ${path}: shown ${JSON.stringify(shown)}, right ${JSON.stringify(right)}`;
}
