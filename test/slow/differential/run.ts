import { within } from '../../support/until.ts';
import { compare, type Difference } from './compare.ts';
import { shrink } from './shrink.ts';
import type { Site } from './site.ts';
import { PATIENCE, QUIET, type Step, take } from './steps.ts';
import { type Open, World } from './world.ts';

/** Milliseconds in which a client must show the right state, once there is no fault and every command is answered. */
const BOUND = 15_000;
const SHRINKING = 120_000;

export interface Failure {
  /** The steps up to the comparison that failed. */
  readonly steps: readonly Step[];
  readonly differences: readonly Difference[];
}

export interface RunOptions {
  readonly bound?: number;
  /** Milliseconds for shrinking a failing sequence. */
  readonly shrinking?: number;
  /** Opens the sockets of the long-lived clients. */
  readonly open?: Open;
}

/** Runs the steps in a world of their own, and compares at quiet points and at the end; returns the first failure. */
export async function run(
  site: Site,
  steps: readonly Step[],
  options: RunOptions = {},
): Promise<Failure | undefined> {
  const { bound = BOUND, open } = options;
  const world = await World.create(site, open);
  try {
    const all: readonly Step[] = [...steps, END];
    for (const [index, step] of all.entries()) {
      if (step.kind === QUIET) {
        const unsettled = await world.settle();
        const differences = unsettled ? [] : await compare(world, bound);
        const wrong = [...(unsettled ? [unsettled] : []), ...world.faults];
        differences.push(...wrong.map((shown) => ({ path: 'world.answers', shown, right: 'an answer' })));
        if (differences.length > 0) return { steps: steps.slice(0, index + 1), differences };
      } else {
        const taken = take(world, step);
        if (step.waits) await within(taken, PATIENCE);
      }
    }
    return undefined;
  } finally {
    await world.close();
  }
}

const END: Step = { who: 'Ada', device: 'client', kind: QUIET, params: {}, waits: true };

/** Returns whether two failures are in the same field. */
export async function smaller(site: Site, failure: Failure, options: RunOptions) {
  const fields = new Set(failure.differences.map(fieldOf));
  let smallest = failure;
  await shrink(
    failure.steps,
    async (steps) => {
      const found = await run(site, steps, options);
      const isSame = found?.differences.some((difference) => fields.has(fieldOf(difference))) ?? false;
      if (found && isSame && found.steps.length < smallest.steps.length) smallest = found;
      return isSame;
    },
    Date.now() + (options.shrinking ?? SHRINKING),
  );
  return smallest;
}

/** Returns the differing field, independent of the user and the chat. */
function fieldOf({ path }: Difference): string {
  return path
    .split('.')
    .slice(1)
    .filter((part) => /^[a-z]+$/i.test(part))
    .join('.');
}
