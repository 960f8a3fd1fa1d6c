import type { TokenClaims } from '../auth/tokens.ts';
import type { SessionId, UserId } from '../ids.ts';

/**
 * Unrecorded sessions kept during an outage of the database, about 500 bytes each; beyond that, the oldest are dropped.
 */
const MAX_UNRECORDED = 100_000;

/** A connection, as far as the log records it. */
export interface RecordedConnection {
  readonly sessionId: SessionId;
  readonly session: Pick<TokenClaims, 'userId' | 'tokenId'>;
  readonly address: string;
  readonly device: string | null;
  /** Set by the log: when it was opened, in milliseconds since the epoch by the clock of the database. */
  connectedAt: number;
}

/** A session as `writeSessions` takes it. */
interface SessionChange {
  readonly id: SessionId;
  readonly user_id: UserId;
  readonly token_id: string | null;
  readonly device: string | null;
  readonly address: string;
  /** In ISO 8601. */
  readonly connected_at: string;
  readonly ended_at: string | null;
}

/** The sessions of this node whose last change is not in the database yet: one state of each, oldest first. */
export class UnrecordedSessions {
  readonly #changes = new Map<SessionId, SessionChange>();

  get size(): number {
    return this.#changes.size;
  }

  /**
   * Adds a change of a session. Its end is never before its beginning, although the estimate of the clock may have
   * changed.
   */
  add(
    { sessionId, session, device, address, connectedAt }: RecordedConnection,
    endedAt: number | null,
  ): void {
    this.#changes.set(sessionId, {
      id: sessionId,
      user_id: session.userId,
      token_id: session.tokenId,
      device,
      address,
      connected_at: timeOf(connectedAt),
      ended_at: endedAt === null ? null : timeOf(Math.max(endedAt, connectedAt)),
    });
    if (this.#changes.size <= MAX_UNRECORDED) return;
    const [oldest] = this.#changes.keys();
    if (oldest !== undefined) this.#changes.delete(oldest);
  }

  /** Removes and returns at most `max` changes, the oldest first. */
  take(max: number): SessionChange[] {
    const taken: SessionChange[] = [];
    for (const [id, change] of this.#changes) {
      if (taken.length === max) break;
      this.#changes.delete(id);
      taken.push(change);
    }
    return taken;
  }

  /** Puts changes back that could not be written, but for those of sessions that have changed since. */
  putBack(changes: readonly SessionChange[]): void {
    for (const change of changes) if (!this.#changes.has(change.id)) this.#changes.set(change.id, change);
  }
}

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
