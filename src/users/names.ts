/** The name of deleted accounts, whose messages remain. */
export const DELETED_USER = 'Deleted user';

/** Returns an SQL expression: `username`, or the name of deleted accounts if it is null. */
export const shownName = (username: string): string => `coalesce(${username}, '${DELETED_USER}')`;

/** Returns an SQL expression for the current name of the user with an id, by primary key. */
export const nameOfUser = (id: string): string => shownName(`(select username from users where id = ${id})`);

/** Returns the current name of a user. */
export function nameOf(user: { readonly username: string | null } | null | undefined): string {
  return user?.username ?? DELETED_USER;
}
