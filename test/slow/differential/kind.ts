import type fc from 'fast-check';
import type { Client, CommandName, Params, Result } from '../../../src/client/node.ts';
import type { Name, Person, World } from './world.ts';

/** The user and the client of a step. */
export interface Participant {
  readonly world: World;
  readonly person: Person;
  /** The long-lived client, or the second device. */
  readonly client: Client;
  /** Another user, on the same device. */
  as(name: Name): Participant;
  call<Type extends CommandName>(type: Type, params: Params<Type>): Promise<Result<Type> | undefined>;
}

/** A kind of step: its weight among the others, its params, and its action. */
export interface Kind {
  readonly weight: number;
  readonly params: fc.Arbitrary<object>;
  run(actor: Participant, params: never): Promise<unknown> | undefined;
}

/** Defines a kind of step, which does nothing if its params refer to nothing. */
export function kind<P extends object>(
  weight: number,
  params: fc.Arbitrary<P>,
  run: (actor: Participant, params: P) => Promise<unknown> | undefined | false | 0,
): Kind {
  return { weight, params, run: (actor, given) => run(actor, given) || undefined };
}
