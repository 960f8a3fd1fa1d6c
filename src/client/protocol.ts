import type { Static, TObject } from 'typebox';
import type { commands } from '../commands/registry.ts';
import type { Message as MessageSchema } from '../protocol/schema/messages.ts';
import type { Change as ChangeSchema } from '../protocol/schema/sync.ts';

/* What goes over the socket, derived from the definitions of the server. Types only: nothing of it is bundled. */

type Definition = (typeof commands)[number];

/** How a chat is named: by the other person of a dialog, or by the group. */
export type ChatAddress =
  | { readonly receiverId: number; readonly groupId?: never }
  | { readonly groupId: number; readonly receiverId?: never };

/**
 * A message, as commands answer it.
 *
 * @interface
 */
export type Message = Static<typeof MessageSchema>;
/** Something that is different from what the client knew; see the command `sync`. */
export type Change = Static<typeof ChangeSchema>;

/**
 * Every command by its name: its params, and the `params` of its reply.
 *
 * @interface
 */
export type Commands = {
  [D in Definition as D['type']]: { params: ParamsOf<D['params']>; result: Static<D['result']> };
};
export type CommandName = keyof Commands;
export type Params<Name extends CommandName> = Commands[Name]['params'];
export type Result<Name extends CommandName> = Commands[Name]['result'];

/** Schemas made by `inChat` take exactly one of two addresses. */
type ParamsOf<Schema extends TObject> = 'oneOf' extends keyof Schema['properties']['receiverId']
  ? Omit<Plain<Static<Schema>>, 'receiverId' | 'groupId'> & ChatAddress
  : Plain<Static<Schema>>;

/** The same with ids as plain numbers: only the server tells those of different things apart. */
type Plain<T> = T extends number
  ? number
  : T extends readonly (infer Each)[]
    ? Plain<Each>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T;

/**
 * Every push by its name: its `params`.
 *
 * @interface
 */
export type Pushes = {
  [D in Definition as [PushedOf<D>] extends [never] ? never : D['type']]: PushParams<Static<PushedOf<D>>>;
};
export type PushName = keyof Pushes;
/** A push as it came, one of a union to be told apart by `type`. */
export type Push<Name extends PushName = PushName> = {
  [Each in Name]: { readonly type: Each; readonly params: Pushes[Each] };
}[Name];

type PushedOf<D extends Definition> = NonNullable<D['push']>['fields'];

/** What takes a place in a chat has a text; what happens to it may have none. */
type PushParams<Fields> = Fields & {
  data: null;
  message: Fields extends { createdAt: string } ? string : string | null;
  senderName: string;
};
