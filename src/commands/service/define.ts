import type { Static, TObject } from 'typebox';
import type { Scope } from '../../auth/apiKeys.ts';
import { compileValidator } from '../../protocol/validator.ts';
import type { Command, CommandDefinition, Outcome } from '../define.ts';
import type { ServiceContext, ServiceReadContext } from './context.ts';

/** A command of the service registry: what a backend does itself, without a user. */
export interface ServiceCommand<
  Name extends string = string,
  Params extends TObject = TObject,
  Result extends TObject = TObject,
> extends Omit<Command<Name, Params, Result>, 'execute'> {
  /** The scope that the key must have; undefined for a command that any key may send. */
  readonly scope: Scope | undefined;
  /** Validates, runs, and calls `done` once; wrong params end with `BAD_REQUEST`. Never throws. */
  execute(params: unknown, context: ServiceContext, done: (outcome: Outcome) => void): void;
}

interface ServiceDefinition<Name extends string, Params extends TObject, Result extends TObject>
  extends Omit<CommandDefinition<Name, Params, Result, TObject>, 'handle'> {
  readonly scope: Scope | undefined;
  readonly cost: number;
}

interface ServiceChange<Name extends string, Params extends TObject, Result extends TObject>
  extends ServiceDefinition<Name, Params, Result> {
  readonly repeatable: boolean;
  handle(params: Static<Params>, context: ServiceContext): Promise<Static<Result>>;
}

interface ServiceRead<Name extends string, Params extends TObject, Result extends TObject>
  extends ServiceDefinition<Name, Params, Result> {
  handle(params: Static<Params>, context: ServiceReadContext): Promise<Static<Result>>;
}

/** Facts of every service command. */
const FACTS = { storesMessage: false, ordered: false, pipelined: false } as const;

/** Defines a service command with an effect. It runs when it is the turn of its key. */
export function defineServiceCommand<
  const Name extends string,
  Params extends TObject,
  Result extends TObject,
>(definition: ServiceChange<Name, Params, Result>): ServiceCommand<Name, Params, Result> {
  const { handle, ...rest } = definition;
  return define({ ...rest, reads: false }, (params, context) =>
    context.turns.changes.run(`key ${context.key.id}`, () => handle(params, context)),
  );
}

/** Defines a service command that only reads. */
export function defineServiceRead<const Name extends string, Params extends TObject, Result extends TObject>(
  definition: ServiceRead<Name, Params, Result>,
): ServiceCommand<Name, Params, Result> {
  const { handle, errors, ...rest } = definition;
  const facts = { reads: true, repeatable: true, errors: [...errors, 'TIMEOUT'] } as const;
  return define({ ...rest, ...facts }, (params, context) =>
    context.turns.reads.run(`key ${context.key.id}`, () =>
      handle(params, { ...context, db: context.db.reads }),
    ),
  );
}

/** Defines a service command that this node answers without the database. */
export function defineServiceLocal<const Name extends string, Params extends TObject, Result extends TObject>(
  definition: ServiceChange<Name, Params, Result> & { readonly reads: boolean },
): ServiceCommand<Name, Params, Result> {
  const { handle, ...rest } = definition;
  return define(rest, handle);
}

function define<Name extends string, Params extends TObject, Result extends TObject>(
  definition: ServiceDefinition<Name, Params, Result> & Pick<ServiceCommand, 'reads' | 'repeatable'>,
  run: (params: Static<Params>, context: ServiceContext) => Promise<Static<Result>>,
): ServiceCommand<Name, Params, Result> {
  const params = { ...definition.params, additionalProperties: false };
  const validate = compileValidator(params, 'params');
  const checked = async (input: unknown, context: ServiceContext) => run(validate(input), context);
  return {
    ...definition,
    ...FACTS,
    params,
    execute(input, context, done) {
      checked(input, context).then(
        (fields) => done({ fields: fields as Readonly<Record<string, unknown>> }),
        (error) => done({ error }),
      );
    },
  };
}
