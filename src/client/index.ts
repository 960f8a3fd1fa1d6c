import { Client, type ClientOptions } from './Client.ts';

/*
 * `parley/client`: the typed client for browsers and Node. It depends on nothing; what it takes from the server are
 * types.
 */

export { type Account, type Accounts, accounts, type Entrance } from './accounts.ts';
export type { CallOptions, Client, ClientOptions, Done, Events, Self, State } from './Client.ts';
export { type ErrorCode, ParleyError } from './errors.ts';
export type { Socket } from './Link.ts';
export type {
  Change,
  ChatAddress,
  CommandName,
  Commands,
  Message,
  Params,
  Push,
  Pushes,
  PushName,
  Result,
} from './protocol.ts';
export type { Chat, ChatMessage, ChatSummary, Chats, Observable, Presence } from './view/view.ts';

/**
 * Connects to the server at `url` with a token of its HTTP calls, or with a function that gets one. Returns at once;
 * commands wait until the connection is there. Throws when `url` is none.
 */
export function connect(options: ClientOptions): Client {
  return new Client(options);
}
