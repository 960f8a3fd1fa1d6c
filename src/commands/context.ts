import type { Logger } from 'pino';
import type { TokenClaims } from '../auth/tokens.ts';
import type { OrderedPublisher } from '../bus/bus.ts';
import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import type { Positions } from '../chats/Positions.ts';
import type { Typists } from '../chats/Typists.ts';
import type { Directory } from '../config.ts';
import type { Database, Queries } from '../database/database.ts';
import type { Recurring } from '../database/recurring.ts';
import type { ConnectionId, SessionId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import type { MessageWriter } from '../messages/MessageWriter.ts';
import type { Trace } from '../observability/tracing.ts';
import type { Presence } from '../presence/Presence.ts';
import type { PresenceChanges } from '../presence/PresenceChanges.ts';
import type { CursorSigner, Cursors } from '../protocol/cursor.ts';
import type { SessionLog } from '../sessions/SessionLog.ts';
import type { ConcurrencyLimit } from './ConcurrencyLimit.ts';

/** Parts of the server that commands use. */
export interface CommandServices {
  readonly writer: MessageWriter;
  readonly presence: Presence;
  readonly presenceChanges: PresenceChanges;
  readonly typists: Typists;
  readonly positions: Positions;
  readonly sessions: SessionLog;
  readonly bus: OrderedPublisher;
  /** Changes of one thing run in it up to their push: pushes leave this node in the order of the commits. */
  readonly changes: KeyedQueue;
  readonly db: Database;
  /** Empties groups that were deleted. */
  readonly closures: Pick<Recurring, 'runSoon'>;
  readonly limits: Limits;
  /** The people that users find. */
  readonly directory: Directory;
  readonly log: Logger;
  readonly signCursors: CursorSigner;
  /** Turns of a user: for commands that only read, for heavy ones, and for all others that wait for the database. */
  readonly turns: Readonly<Record<'reads' | 'heavyReads' | 'changes', ConcurrencyLimit>>;
}

export interface CommandContext extends CommandServices {
  /** The acting user and the token. No command takes the acting user from its params. */
  readonly session: TokenClaims;
  /** The session of the connection, as `listSessions` has it. */
  readonly sessionId: SessionId;
  /** The connection the command came from. */
  readonly origin: ConnectionId;
  /** Makes the command the last of its connection: those behind it are not run. */
  readonly finish: () => void;
  /** Records traces. */
  readonly trace?: Trace | undefined;
}

/** Context of a command that only reads: other connections to the database, and nothing to write or publish with. */
export interface ReadContext extends Omit<CommandContext, 'db' | 'bus' | 'writer'> {
  readonly db: Queries;
  /** Of this command and this user. */
  readonly cursors: Cursors;
}
