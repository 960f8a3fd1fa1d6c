/** How a deleted account shows where its messages stay. */
export const DELETED_USER = 'Deleted user';

/** An expression of SQL: `username`, or what stands for it where that is null. */
export const shownName = (username: string): string => `coalesce(${username}, '${DELETED_USER}')`;

/** An expression of SQL: the name that the user with an id has now, by the primary key. */
export const nameOfUser = (id: string): string => shownName(`(select username from users where id = ${id})`);

/** Returns the name that a user has now. */
export function nameOf(user: { readonly username: string | null } | null | undefined): string {
  return user?.username ?? DELETED_USER;
}
