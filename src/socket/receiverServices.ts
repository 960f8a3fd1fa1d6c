import type { ByteBudget } from '../ByteBudget.ts';
import type { CommandServices } from '../commands/context.ts';
import type { Command } from '../commands/define.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { TimeoutLog } from '../observability/TimeoutLog.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { RateLimiters } from './rateLimits.ts';

/** Shared by the receivers of a node. */
export interface ReceiverServices {
  readonly commands: ReadonlyMap<string, Command>;
  readonly services: CommandServices;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly isVerbose: boolean;
  /** Undefined where rates are not limited. */
  readonly rateLimiterOf: RateLimiters | undefined;
  readonly budget: ByteBudget;
  readonly timeouts: TimeoutLog;
}
