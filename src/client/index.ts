/**
 * `@parley-chat/client`: the typed client for browsers and Node. It has no dependencies.
 *
 * @packageDocumentation
 */
import { Client } from './Client.ts';
import type { ClientOptions } from './options.ts';

export { type Accounts, accounts, type Entrance } from './accounts.ts';
export type { Client } from './Client.ts';
export type { CallArguments, CallOptions } from './calls.ts';
export type * from './commands.ts';
export type { Unsubscribe } from './Emitter.ts';
export { type ErrorCode, ParleyError } from './errors.ts';
export type { Done, Events, Self, State } from './events.ts';
export type { ClientOptions, Socket } from './options.ts';
export type { CommandName, Params, Push, PushName, Result } from './protocol.ts';
export type {
  Chat,
  ChatMessage,
  ChatSummary,
  Chats,
  LastMessage,
  Observable,
} from './view/view.ts';

/**
 * Creates a client of the server at `url`, with a token or with a function that returns one. Returns at once; calls wait
 * until the client is connected. Throws a `TypeError` if `url` is not a URL.
 */
export function connect(options: ClientOptions): Client {
  return new Client(options);
}
