/** How a deleted account shows where its messages stay. */
export const DELETED_USER = 'Deleted user';

/** The name a user has now. */
export function nameOf(user: { readonly username: string | null } | null | undefined): string {
  return user?.username ?? DELETED_USER;
}
