import { ByteBudget } from '../ByteBudget.ts';
import type { Command } from '../commands/define.ts';
import type { ServiceServices } from '../commands/service/context.ts';
import type { ServiceCommand } from '../commands/service/define.ts';
import type { Metrics } from '../observability/metrics.ts';
import { TimeoutLog } from '../observability/TimeoutLog.ts';
import type { Tracing } from '../observability/tracing.ts';
import { ActingUsers } from './ActingUsers.ts';
import { CommandReceiver } from './CommandReceiver.ts';
import type { Connection } from './Connection.ts';
import { createRateLimiters, createServiceRateLimiters } from './rateLimits.ts';
import { ServiceConnection } from './ServiceConnection.ts';
import { ServiceReceiver } from './ServiceReceiver.ts';
import type { Receiver } from './SocketConnection.ts';

/** Opens the receiving end of a connection: takes its frames, and answers each. */
export type Dispatcher = (connection: Connection | ServiceConnection) => Receiver;

/** The commands by their types: those of users, and those of services. */
export interface Registries {
  readonly commands: ReadonlyMap<string, Command>;
  readonly serviceCommands: ReadonlyMap<string, ServiceCommand>;
}

export interface DispatcherOptions {
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  /** True if rates of commands are limited. */
  readonly isLimited: boolean;
}

/** Share of one user in the budget for unanswered commands. */
const USER_SHARE = 1 / 4;

/**
 * Creates the dispatcher of a node: it makes the {@link CommandReceiver} of each connection of a user, and the {@link
 * ServiceReceiver} of each service connection, which run requests as commands of the registries. No command is known by name.
 */
export function createDispatcher(
  { commands, serviceCommands }: Registries,
  services: ServiceServices,
  { metrics, tracing, isLimited }: DispatcherOptions,
): Dispatcher {
  const shared = {
    commands,
    services,
    metrics,
    tracing,
    isVerbose: services.log.isLevelEnabled('debug'),
    rateLimiterOf: isLimited ? createRateLimiters(services.limits) : undefined,
    budget: new ByteBudget(services.limits.unansweredBytes, USER_SHARE),
    timeouts: new TimeoutLog(services.log),
    serviceCommands,
    users: new ActingUsers(services.db),
    serviceRateLimiterOf: isLimited ? createServiceRateLimiters(services.limits) : undefined,
  };
  return (connection) =>
    connection instanceof ServiceConnection
      ? new ServiceReceiver(shared, connection)
      : new CommandReceiver(shared, connection);
}
