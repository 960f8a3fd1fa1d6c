/**
 * `@parley-chat/service`: the typed client of service connections, for backends in Node.
 *
 * @packageDocumentation
 */
import type { ServiceOptions } from './options.ts';
import { Service } from './Service.ts';

export type { CallOptions } from '../calls.ts';
export type { Unsubscribe } from '../Emitter.ts';
export { type ErrorCode, ParleyError } from '../errors.ts';
export type * from './commands.ts';
export type {
  EventHandler,
  EventSubscription,
  SubscribeOptions,
  SubscriptionState,
} from './EventSubscription.ts';
export type { ServiceOptions } from './options.ts';
export type { ActingCommandName, ServiceCommandName, ServiceParams, ServiceResult } from './protocol.ts';
export type { ActingUser, Service, ServiceEvents, ServiceState } from './Service.ts';

/**
 * Opens a service connection to the server at `url` with an API key. Returns at once; calls wait until it is open. Throws a
 * `TypeError` if `url` is not a URL.
 */
export function connectService(options: ServiceOptions): Service {
  return new Service(options);
}
