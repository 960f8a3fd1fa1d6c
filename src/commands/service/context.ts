import type { Deletions } from '../../accounts/deleteAccount.ts';
import type { ServiceKey } from '../../auth/serviceKeys.ts';
import type { Tokens } from '../../auth/tokens.ts';
import type { Queries } from '../../database/database.ts';
import type { ConnectionEvents, EventFeed } from '../../events/EventFeed.ts';
import type { CommandServices } from '../context.ts';

/** Parts of the server that service commands use. */
export interface ServiceServices extends CommandServices {
  readonly tokens: Tokens;
  readonly deletions: Pick<Deletions, 'leave'>;
  readonly events: EventFeed;
}

export interface ServiceContext extends ServiceServices {
  /** The key of the connection. No command checks its scopes: the definition names the one that it needs. */
  readonly key: ServiceKey;
  /** The consumers that the connection serves. */
  readonly connectionEvents: ConnectionEvents;
}

/** Context of a service command that only reads. */
export interface ServiceReadContext
  extends Omit<ServiceContext, 'db' | 'bus' | 'writer' | 'connectionEvents'> {
  readonly db: Queries;
}
