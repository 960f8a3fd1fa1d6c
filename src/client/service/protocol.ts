import type { CommandName } from '../protocol.ts';
import type { ConnectionCommandName, ServiceCommands, ServicePushes } from './commands.ts';

/** The name of any service command. */
export type AnyServiceCommandName = keyof ServiceCommands;

/** The name of a service command that can be called. {@link Service.consume} sends those that push. */
export type ServiceCommandName = Exclude<AnyServiceCommandName, keyof ServicePushes>;
/** The params of a service command. */
export type ServiceParams<Name extends AnyServiceCommandName> = ServiceCommands[Name]['params'];
/** The result of a service command: the `params` of its reply. */
export type ServiceResult<Name extends AnyServiceCommandName> = ServiceCommands[Name]['result'];

/** The name of a command that can be sent for a user. */
export type ActingCommandName = Exclude<CommandName, ConnectionCommandName>;
