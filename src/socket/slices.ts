import type { UserId } from '../ids.ts';
import type { Connection } from './Connection.ts';

/** A user and the connections of theirs that are compared with the database. */
export type UserConnections = readonly [UserId, readonly Connection[]];

/** Users that one statement compares, fewer where they are in many groups together. */
const MAX_USERS = 500;
const MAX_GROUPS = 5_000;

/** Returns the next users, until they are enough for one statement. */
export function takeSlice(users: Iterator<UserConnections>): UserConnections[] {
  const taken: UserConnections[] = [];
  let groups = 0;
  for (let next = users.next(); !next.done; next = users.next()) {
    groups += Math.max(0, ...next.value[1].map((connection) => connection.groups.size));
    if (taken.push(next.value) === MAX_USERS || groups >= MAX_GROUPS) break;
  }
  return taken;
}
