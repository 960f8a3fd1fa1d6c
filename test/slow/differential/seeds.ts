import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Difference } from './compare.ts';
import { type Failure, type RunOptions, run, smaller } from './run.ts';
import type { Site } from './site.ts';
import { disturbsOthers, lineOf, type Step, stepsOf } from './steps.ts';

/** Concurrent worlds: while one waits, another continues. */
const WORLDS = 10;
/** Differences to print. */
const SHOWN = 6;

/**
 * Runs the given number of steps of each seed, several seeds at a time. Ends at the first failure, and throws an error
 * with the seed, the differences, the shrunken sequence, and the commands that run both again.
 */
export async function runSeeds(site: Site, seeds: readonly number[], count: number): Promise<void> {
  let failed: { seed: number; failure: Failure } | undefined;
  const all = seeds.map((seed) => ({ seed, steps: stepsOf(seed, count) }));
  const runAll = async (waiting: typeof all) => {
    const worker = async () => {
      for (let next = waiting.shift(); next && !failed; next = waiting.shift()) {
        const failure = await run(site, next.steps);
        if (failure) failed ??= { seed: next.seed, failure };
      }
    };
    await Promise.all(Array.from({ length: WORLDS }, worker));
  };
  await runAll(all.filter(({ steps }) => !disturbsOthers(steps)));
  await runAll(all.filter(({ steps }) => disturbsOthers(steps)));
  if (!failed) return;
  const { seed, failure } = failed;
  throw new Error(
    `seed ${seed}: ${await report(site, failure)}
Again: DIFFERENTIAL_SEED=${seed} DIFFERENTIAL_STEPS=${count} npx mocha -g "a long-lived client on ${site.name}"`,
  );
}

/** Runs the steps of a file; throws an error like {@link runSeeds}. */
export async function runSteps(site: Site, steps: readonly Step[], options: RunOptions = {}): Promise<void> {
  const failure = await run(site, steps, options);
  if (failure) throw new Error(await report(site, failure, options));
}

/** Returns the differences and the smallest failing sequence found, which is saved in a file. */
async function report(site: Site, failure: Failure, options: RunOptions = {}): Promise<string> {
  const { steps, differences } = await smaller(site, failure, options);
  const file = join(tmpdir(), `differential-${process.pid}-${Date.now()}.json`);
  await writeFile(file, JSON.stringify(steps));
  return [
    'the long-lived client differs from a fresh one',
    ...differences.slice(0, SHOWN).map(toText),
    ...(differences.length > SHOWN ? [`  and ${differences.length - SHOWN} more`] : []),
    `${steps.length} of ${failure.steps.length} steps show it:`,
    ...steps.map((step) => `  ${lineOf(step)}`),
    `These steps: DIFFERENTIAL_SEQUENCE=${file} npx mocha -g "a long-lived client on ${site.name}"`,
  ].join('\n');
}

function toText({ path, shown, right }: Difference): string {
  return `  ${path}: shown ${JSON.stringify(shown)}, right ${JSON.stringify(right)}`;
}
