import type { PoolSizes } from '../database/database.ts';
import { ConcurrencyLimit } from './ConcurrencyLimit.ts';
import type { CommandServices } from './context.ts';

/** Heavy commands that wait for a connection on this node: a few seconds' worth, past which they had better be sent again. */
const HEAVY_WAIT = { perUser: 10, total: 1_000, milliseconds: 5_000 };

/**
 * Divides the connections to the database among users: of those for reads and of those for changes, one user takes at most
 * a third, so that whatever they ask for, others go on. Of those for heavy commands it is one, or two where there are
 * four and more; what waits there is refused in time.
 */
export function createTurns({ reads, heavyReads, changes }: PoolSizes): CommandServices['turns'] {
  return {
    reads: new ConcurrencyLimit({ perUser: Math.ceil(reads / 3) }),
    heavyReads: new ConcurrencyLimit({
      perUser: heavyReads < 4 ? 1 : 2,
      total: heavyReads,
      wait: HEAVY_WAIT,
    }),
    changes: new ConcurrencyLimit({ perUser: Math.ceil(changes / 3) }),
  };
}
