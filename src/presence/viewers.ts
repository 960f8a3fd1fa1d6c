import type { TokenClaims } from '../auth/tokens.ts';
import type { ConnectionId, UserId } from '../ids.ts';

/** Users whose presence a connection watches. */
export interface Watching {
  /** Users whose changes are pushed to the connection. */
  readonly watched: Set<UserId>;
  /** Watched users who are hidden because of a block. */
  readonly hidden: Set<UserId>;
}

/** A connection that may watch the presence of others. */
export interface Viewer {
  readonly session: Pick<TokenClaims, 'userId'>;
  /** Undefined if the connection watches no users. */
  readonly watching: Watching | undefined;
  /** Number of times that a user was hidden from the connection. */
  readonly timesHidden: number;
  send(frame: string): void;
}

/** The connections of this node, as far as they watch presence: `PresenceSubscriptions` as far as this folder needs it. */
export interface Viewers {
  get(id: ConnectionId): Viewer | undefined;
  /** Adds watched users to a connection; returns false and changes nothing if they would exceed `max`. */
  watch(viewer: Viewer, userIds: readonly UserId[], max: number): boolean;
  /** Removes watched users from a connection: `userIds`, or all of them. */
  unwatch(id: ConnectionId, userIds?: readonly UserId[]): void;
  /** Shows those of the users to a connection who were hidden from it. */
  show(viewer: Viewer, userIds: readonly UserId[]): void;
  /** Returns the number of presence pushes of users that were delivered on this node. */
  presencePushes(userIds: readonly UserId[]): number;
  /** Returns true if a connection of this or another node may watch a user. */
  mayBeWatched(userId: UserId): boolean;
}
