import type { Static, TObject } from 'typebox';
import type { commands } from '../commands/registry.ts';
import type { Message as MessageSchema } from '../protocol/schema/messages.ts';
import type { Change as ChangeSchema } from '../protocol/schema/sync.ts';

/* The types of the frames, derived from the definitions of the server. They are not part of the bundle. */

type Definition = (typeof commands)[number];

/** A chat: the dialog with a person, or a group. */
export type ChatAddress =
  | { readonly receiverId: number; readonly groupId?: never }
  | { readonly groupId: number; readonly receiverId?: never };

/**
 * A message, as commands return it.
 *
 * @interface
 */
export type Message = Static<typeof MessageSchema>;
/** A change since a cursor; see the command `sync`. */
export type Change = Static<typeof ChangeSchema>;

/**
 * The commands by name, each with its params and the `params` of its reply.
 *
 * @interface
 */
export type Commands = {
  [D in Definition as D['type']]: { params: ParamsOf<D['params']>; result: Static<D['result']> };
};
export type CommandName = keyof Commands;
export type Params<Name extends CommandName> = Commands[Name]['params'];
export type Result<Name extends CommandName> = Commands[Name]['result'];

/** The params of a command. Schemas made by `inChat` take exactly one of two addresses. */
type ParamsOf<Schema extends TObject> = 'oneOf' extends keyof Schema['properties']['receiverId']
  ? Omit<Plain<Static<Schema>>, 'receiverId' | 'groupId'> & ChatAddress
  : Plain<Static<Schema>>;

/** The same type with plain numbers for ids: only the server distinguishes the ids of different things. */
type Plain<T> = T extends number
  ? number
  : T extends readonly (infer Each)[]
    ? Plain<Each>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T;

/**
 * The `params` of the pushes by name.
 *
 * @interface
 */
export type Pushes = {
  [D in Definition as [PushedOf<D>] extends [never] ? never : D['type']]: PushParams<Static<PushedOf<D>>>;
};
export type PushName = keyof Pushes;
/** A push: a union with the discriminant `type`. */
export type Push<Name extends PushName = PushName> = {
  [Each in Name]: { readonly type: Each; readonly params: Pushes[Each] };
}[Name];

type PushedOf<D extends Definition> = NonNullable<D['push']>['fields'];

/** The `params` of a push. Those of a message always have a text. */
type PushParams<Fields> = Fields & {
  data: null;
  message: Fields extends { createdAt: string } ? string : string | null;
  senderName: string;
};
