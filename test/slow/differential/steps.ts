import fc from 'fast-check';
import { clientActions } from './clientActions.ts';
import { commands } from './commands.ts';
import { faults } from './faults.ts';
import type { Kind, Participant } from './kind.ts';
import { type Name, PEOPLE, type World } from './world.ts';

/** An action of a user, or a fault. It can be saved and run again. */
export interface Step {
  readonly who: Name;
  readonly device: 'client' | 'second';
  readonly kind: string;
  readonly params: object;
  /** The next step waits until this one is answered. */
  readonly waits: boolean;
}

/** The step that compares all clients. */
export const QUIET = 'quiet';

const kinds: Readonly<Record<string, Kind>> = {
  ...commands,
  ...clientActions,
  ...faults,
  [QUIET]: { weight: 8, params: fc.constant({}), run: () => undefined },
};

/** Kinds without which there is nothing to compare. */
const ALWAYS: ReadonlySet<string> = new Set([QUIET, 'send', 'open']);

/**
 * Returns the weight of each kind in a sequence: some zero, some four times as large, faults in every other sequence.
 * So each kind occurs in sequences in which no other hides it, as a reconnect might (Groce et al., "Swarm testing",
 * 2012).
 */
const mixture: fc.Arbitrary<Readonly<Record<string, number>>> = fc
  .tuple(fc.boolean(), fc.array(fc.constantFrom(0, 1, 1, 4), { minLength: 100, maxLength: 100 }))
  .map(([isCalm, factors]) =>
    Object.fromEntries(
      Object.entries(kinds).map(([kind, { weight }], index) => {
        const factor = ALWAYS.has(kind) ? 1 : isCalm && kind in faults ? 0 : (factors[index] as number);
        return [kind, weight * factor * 10]; // whole numbers
      }),
    ),
  );

const stepIn = (weights: Readonly<Record<string, number>>): fc.Arbitrary<Step> =>
  fc
    .oneof(
      ...Object.entries(kinds).map(([kind, { params }]) => ({
        weight: weights[kind] as number,
        arbitrary: fc.record({ kind: fc.constant(kind), params }),
      })),
    )
    .chain((what) =>
      fc.record({
        who: fc.constantFrom(...PEOPLE),
        device: fc.constantFrom('client' as const, 'second' as const),
        ...{ kind: fc.constant(what.kind), params: fc.constant(what.params), waits: fc.boolean() },
      }),
    );

/** Returns the steps of a seed. */
export function stepsOf(seed: number, count: number): readonly Step[] {
  const [weights] = fc.sample(mixture, { seed, numRuns: 1 }) as [Record<string, number>];
  return fc.sample(stepIn(weights), { seed, numRuns: count });
}

/** Returns whether steps break parts that other worlds need as well. */
export const disturbsOthers = (steps: readonly Step[]): boolean =>
  steps.some(({ kind }) => kind === 'restart' || kind === 'cutNats');

/** Milliseconds that a step waits for the answer to the previous one, which a fault may delay. */
export const PATIENCE = 300;

/** Starts a step; resolves when it is answered. */
export async function take(world: World, { who, device, kind, params }: Step): Promise<void> {
  const actor = (name: Name): Participant => {
    const person = world.person(name);
    const client = device === 'client' ? person.client : person.second;
    return {
      world,
      person,
      client,
      as: actor,
      call: (type, given) => world.call(person, client, type, given),
    };
  };
  if (!world.person(who).isGone) await kinds[kind]?.run(actor(who), params as never);
}

/** Returns a step as one line. */
export function lineOf({ who, device, kind, params, waits }: Step): string {
  const by = device === 'client' ? who : `${who}'s second device`;
  return `${by}: ${kind} ${JSON.stringify(params)}${waits ? '' : ', without waiting'}`;
}
