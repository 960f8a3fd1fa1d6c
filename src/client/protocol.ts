import type { Commands, Pushes } from './commands.ts';

export type { Change, ChatAddress, Commands, Message, Pushes } from './commands.ts';

/** The name of a command. */
export type CommandName = keyof Commands;
/** The params of a command. */
export type Params<Name extends CommandName> = Commands[Name]['params'];
/** The result of a command: the `params` of its reply. */
export type Result<Name extends CommandName> = Commands[Name]['result'];

/** The name of a push. */
export type PushName = keyof Pushes;
/** A push: a union with the discriminant `type`. */
export type Push<Name extends PushName = PushName> = {
  [Each in Name]: { readonly type: Each; readonly params: Pushes[Each] };
}[Name];
