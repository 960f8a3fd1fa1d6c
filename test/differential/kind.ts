import type fc from 'fast-check';
import type { Client, CommandName, Params, Result } from '../../src/client/node.ts';
import type { Name, Person, World } from './world.ts';

/** Who does a step, and by what. */
export interface Actor {
  readonly world: World;
  readonly person: Person;
  /** The client that lives long, or the second device. */
  readonly client: Client;
  /** Somebody else, by the same device. */
  as(name: Name): Actor;
  call<Type extends CommandName>(type: Type, params: Params<Type>): Promise<Result<Type> | undefined>;
}

/** A kind of step: how often it comes beside the others, with which params, and what it does. */
export interface Kind {
  readonly weight: number;
  readonly params: fc.Arbitrary<object>;
  run(actor: Actor, params: never): Promise<unknown> | undefined;
}

/** Defines a kind of step; where there is nothing to do it with, it does nothing. */
export function kind<P extends object>(
  weight: number,
  params: fc.Arbitrary<P>,
  run: (actor: Actor, params: P) => Promise<unknown> | undefined | false | 0,
): Kind {
  return { weight, params, run: (actor, given) => run(actor, given) || undefined };
}
