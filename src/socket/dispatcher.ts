import { ByteBudget } from '../ByteBudget.ts';
import type { CommandServices } from '../commands/context.ts';
import type { Command } from '../commands/define.ts';
import type { Metrics } from '../observability/metrics.ts';
import { TimeoutLog } from '../observability/TimeoutLog.ts';
import type { Tracing } from '../observability/tracing.ts';
import { CommandReceiver } from './CommandReceiver.ts';
import type { Connection, Receiver } from './Connection.ts';
import { createRateLimiters } from './rateLimits.ts';

/** Opens the receiving end of a connection: takes its frames, answers each in order. */
export type Dispatcher = (connection: Connection) => Receiver;

export interface DispatcherOptions {
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  /** True if rates of commands are limited. */
  readonly isLimited: boolean;
}

/** Share of one user in the budget for unanswered commands. */
const USER_SHARE = 1 / 4;

/**
 * Creates the dispatcher of a node: it makes the {@link CommandReceiver} of each connection, which runs requests as commands
 * of the registry. No command is known by name.
 */
export function createDispatcher(
  commands: ReadonlyMap<string, Command>,
  services: CommandServices,
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
  };
  return (connection) => new CommandReceiver(shared, connection);
}
