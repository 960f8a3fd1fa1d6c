import type { Static, TObject } from 'typebox';
import type { MessageDraft, StoredMessage } from '../messages/drafts.ts';
import type { WriteAnswer } from '../messages/WriterQueue.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { Fields } from '../protocol/frames.ts';
import { SendReply } from '../protocol/schema/messages.ts';
import { compileValidator } from '../protocol/validator.ts';
import type { CommandContext, ReadContext } from './context.ts';
import {
  type ChangeFacts,
  type CommandFacts,
  type Cost,
  type LocalFacts,
  READ,
  SEND,
  type TakesMessageId,
} from './facts.ts';

/** The push of a command's effect to other connections. */
export interface PushDefinition<Fields extends TObject = TObject> {
  readonly summary: string;
  /** Stand beside `data`, `message` and `senderName`. */
  readonly fields: Fields;
}

export interface CommandDefinition<
  Name extends string,
  Params extends TObject,
  Result extends TObject,
  Pushed extends TObject,
> {
  readonly type: Name;
  readonly summary: string;
  readonly description?: string;
  /** Unknown params are refused by name. */
  readonly params: Params;
  /** Stands in `params` of the reply: `data` for results, other names beside the three fixed fields. */
  readonly result: Result;
  /** The codes it refuses with, beside `BAD_REQUEST`, `RATE_LIMITED`, `UNAVAILABLE` and `INTERNAL`. */
  readonly errors: readonly ErrorCode[];
  readonly push?: PushDefinition<Pushed>;
  /** Rate at which a connection may use it: `burst` at once, refilled at `perSecond`; without, only the common limit holds. */
  readonly rate?: { readonly burst: number; readonly perSecond: number };
  handle(params: Static<Params>, context: CommandContext): Promise<Static<Result>>;
}

/** A command that only reads. */
export interface ReadDefinition<Name extends string, Params extends TObject, Result extends TObject>
  extends Omit<CommandDefinition<Name, Params, Result, never>, 'handle' | 'push'>,
    Cost {
  /**
   * True if its reads may take long, however short the reply: it runs on a few connections of its own kind, and waits
   * there for a bounded time.
   */
  readonly isHeavy?: true;
  handle(params: Static<Params>, context: ReadContext): Promise<Static<Result>>;
}

/** Content of the message that a command writes. */
export type Content = Pick<MessageDraft, 'to' | 'content' | 'clientMessageId' | 'extras'>;

/** A command that does nothing but write one message. */
export interface SendDefinition<Name extends string, Params extends TObject, Pushed extends TObject>
  extends Omit<CommandDefinition<Name, Params, TObject, Pushed>, 'handle' | 'result'>,
    Cost {
  /** Returns the message to write, from validated params. */
  draft(params: Static<Params>): Content;
}

/** Outcome of a command: the fields of its reply, the message it stored, or the error. */
export type Outcome =
  | { readonly fields: Fields }
  | { readonly stored: StoredMessage }
  | { readonly error: unknown };

/**
 * A command of the registry: its definition, with params checked before they reach the handler. `Pushed` is never
 * where nobody else is notified.
 */
export interface Command<
  Name extends string = string,
  Params extends TObject = TObject,
  Result extends TObject = TObject,
  Pushed extends TObject = TObject,
> extends Omit<CommandDefinition<Name, Params, Result, Pushed>, 'handle'>,
    CommandFacts {
  /**
   * May run beside neighbours that are pipelined as well, because the writer keeps their order. All other
   * commands of a connection run one after another.
   */
  readonly pipelined: boolean;
  /** It reads what may take long: see {@link ReadDefinition}. */
  readonly isHeavy?: true;
  /** Validates, runs, and calls `done` once, which must not throw; wrong params end with `BAD_REQUEST`. Never throws. */
  execute(params: unknown, context: CommandContext, done: (outcome: Outcome) => void): void;
}

/** A command, or a service command, as the documents describe it. */
export interface CommandDescription extends Omit<Command, 'execute'> {
  /** Of service commands: the scope that the key must have, if any. */
  readonly scope?: string | undefined;
}

/** Defines a command with an effect: schema, types, validator, documents and the typed client all derive from this. */
export function defineCommand<
  const Name extends string,
  Params extends TObject,
  Result extends TObject,
  Pushed extends TObject = never,
>(
  definition: CommandDefinition<Name, Params, Result, Pushed> & ChangeFacts,
): Command<Name, Params, Result, Pushed> {
  return define({ ...definition, reads: false }, (context, work) =>
    context.turns.changes.run(context.session.userId, work),
  );
}

/** Defines a command that this node answers without the database: it waits for no turn of its user. */
export function defineLocal<const Name extends string, Params extends TObject, Result extends TObject>(
  definition: CommandDefinition<Name, Params, Result, never> & LocalFacts,
): Command<Name, Params, Result, never> {
  return define(definition, (_, work) => work());
}

/** Defines a command that only reads. One that takes too long is a `TIMEOUT`. */
export function defineRead<const Name extends string, Params extends TObject, Result extends TObject>(
  definition: ReadDefinition<Name, Params, Result>,
): Command<Name, Params, Result, never> {
  const { handle, errors, ...rest } = definition;
  const { params, validate } = strict(definition.params);
  return {
    ...rest,
    ...READ,
    errors: [...errors, 'TIMEOUT'],
    params,
    pipelined: false,
    execute: executing(async (input, context) => {
      const checked = validate(input);
      return read(rest, context, (reading) => handle(checked, reading));
    }),
  };
}

/** Makes a command of a definition whose handler runs in its turn. */
function define<Name extends string, Params extends TObject, Result extends TObject, Pushed extends TObject>(
  definition: CommandDefinition<Name, Params, Result, Pushed> & CommandFacts,
  inTurn: <T>(context: CommandContext, work: () => Promise<T>) => Promise<T>,
): Command<Name, Params, Result, Pushed> {
  const { handle, ...rest } = definition;
  const { params, validate } = strict(definition.params);
  return {
    ...rest,
    params,
    pipelined: false,
    execute: executing(async (input, context) => {
      const checked = validate(input);
      return inTurn(context, () => handle(checked, context));
    }),
  };
}

/** `run` is async, so that a refusal of the validator rejects as one of the handler does. */
function executing(run: (input: unknown, context: CommandContext) => Promise<unknown>): Command['execute'] {
  return (input, context, done) => {
    run(input, context).then(
      (fields) => done({ fields: fields as Fields }),
      (error) => done({ error }),
    );
  };
}

/** Defines a command that writes a message: it goes to the writer at once, and is answered in the writer's order. */
export function defineSend<const Name extends string, Params extends TObject, Pushed extends TObject>(
  definition: SendDefinition<Name, Params, Pushed> & TakesMessageId,
): Command<Name, Params, typeof SendReply, Pushed> {
  const { draft, ...rest } = definition;
  const { params, validate } = strict(definition.params);
  return {
    ...rest,
    ...SEND,
    params,
    result: SendReply,
    pipelined: true,
    execute(input, context, done) {
      try {
        write(draft(validate(input)), context, done);
      } catch (error) {
        done({ error });
      }
    },
  };
}

/** A command that writes one message, which it has to read something for first. */
export interface PreparedSendDefinition<Name extends string, Params extends TObject, Result extends TObject>
  extends Omit<CommandDefinition<Name, Params, Result, never>, 'handle' | 'push'>,
    Cost {
  prepare(params: Static<Params>, context: ReadContext): Promise<Content>;
  /** Returns the reply to a message that was stored as it was prepared. */
  reply(stored: StoredMessage, content: Content): Static<Result>;
  /** Returns the reply where an earlier message answers for it. */
  repeat(stored: StoredMessage, context: ReadContext): Promise<Static<Result>>;
}

/** Defines a command that prepares a message and writes it. */
export function definePreparedSend<const Name extends string, Params extends TObject, Result extends TObject>(
  definition: PreparedSendDefinition<Name, Params, Result> & TakesMessageId,
): Command<Name, Params, Result, never> {
  const { prepare, reply, repeat, ...rest } = definition;
  const { params, validate } = strict(definition.params);
  const prepared = async (input: unknown, context: CommandContext) => {
    const checked = validate(input);
    return read(rest, context, (reading) => prepare(checked, reading));
  };
  return {
    ...rest,
    ...SEND,
    params,
    pipelined: false,
    execute(input, context, done) {
      const succeed = (fields: unknown) => done({ fields: fields as Fields });
      const fail = (error: unknown) => done({ error });
      prepared(input, context).then((content) => {
        write(content, context, (outcome) => {
          if (!('stored' in outcome)) return fail(outcome.error);
          const { stored } = outcome;
          if (!stored.repeated) return succeed(reply(stored, content));
          read(rest, context, (reading) => repeat(stored, reading)).then(succeed, fail);
        });
      }, fail);
    },
  };
}

/** Reads when it is the user's turn, on the connections for it. */
function read<T>(
  { type, isHeavy }: Pick<Command, 'type' | 'isHeavy'>,
  context: CommandContext,
  work: (context: ReadContext) => Promise<T>,
): Promise<T> {
  const { session, db, signCursors, turns } = context;
  const pool = isHeavy ? 'heavyReads' : 'reads';
  const reading = { ...context, db: db[pool], cursors: signCursors(type, session.userId) };
  return turns[pool].run(session.userId, () => work(reading));
}

/** Names each property of the draft: a spread gives it a slow hidden class in V8, and every message has one. */
function write(
  { to, content, clientMessageId, extras }: Content,
  { session, origin, writer, trace }: CommandContext,
  answer: WriteAnswer,
) {
  const draft: MessageDraft = {
    senderId: session.userId,
    to,
    kind: 'text',
    content,
    clientMessageId,
    extras,
    origin,
    trace,
  };
  writer.write(draft, answer);
}

/** Params with unknown names refused, and their validator. */
function strict<Params extends TObject>(definition: Params) {
  const params = { ...definition, additionalProperties: false };
  return { params, validate: compileValidator(params, 'params') };
}
