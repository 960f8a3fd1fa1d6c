import type { Logger } from 'pino';
import type { Static, TObject } from 'typebox';
import type { Bus } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import type { ErrorCode } from '../errors.ts';
import type { ConnectionId } from '../ids.ts';
import type { MessageWriter } from '../messages/MessageWriter.ts';
import { compileValidator } from '../schema/validator.ts';
import type { Session } from '../socket/session.ts';

/** What commands work with. */
export interface CommandServices {
  readonly writer: MessageWriter;
  readonly bus: Bus;
  readonly db: Database;
  readonly log: Logger;
}

export interface CommandContext extends CommandServices {
  /** Who acts. No command takes the acting user from its params. */
  readonly session: Session;
  /** The connection the command came from. */
  readonly origin: ConnectionId;
}

/** What other connections are told of a command's effect. */
export interface PushDefinition {
  readonly summary: string;
  /** Stand beside `data`, `message` and `senderName`. */
  readonly fields: TObject;
}

export interface CommandDefinition<Params extends TObject, Result extends TObject> {
  readonly type: string;
  readonly summary: string;
  readonly description?: string;
  /** Unknown params are refused by name. */
  readonly params: Params;
  /** Stands in `params` of the reply: `data` for results, other names beside the three fixed fields. */
  readonly result: Result;
  /** The codes it refuses with, beside `BAD_REQUEST`, `RATE_LIMITED`, `UNAVAILABLE` and `INTERNAL`. */
  readonly errors: readonly ErrorCode[];
  readonly push?: PushDefinition;
  /**
   * A command that hands over to the writer before its first await may run beside its like, because the
   * writer keeps the order. All others of a connection run one after another.
   */
  readonly pipelined?: boolean;
  handle(params: Static<Params>, context: CommandContext): Promise<Static<Result>>;
}

/** A command of the registry: its definition, with params checked before they reach the handler. */
export interface Command extends Omit<CommandDefinition<TObject, TObject>, 'handle' | 'pipelined'> {
  readonly pipelined: boolean;
  /** Validates and runs. Rejects with `BAD_REQUEST` for wrong params, or with what the handler refuses. */
  execute(params: unknown, context: CommandContext): Promise<Readonly<Record<string, unknown>>>;
}

/** Defines a command: schema, types, validator, documents and the typed client all derive from this. */
export function defineCommand<Params extends TObject, Result extends TObject>(
  definition: CommandDefinition<Params, Result>,
): Command {
  const { handle, pipelined = false, ...rest } = definition;
  const params = { ...definition.params, additionalProperties: false };
  const validate = compileValidator(params, 'params');
  return {
    ...rest,
    params,
    pipelined,
    // async, so that a refusal of the validator rejects as one of the handler does
    execute: async (input, context) =>
      handle(validate(input), context) as Promise<Readonly<Record<string, unknown>>>,
  };
}
