import { fold, foldForSearch, foldName } from './fold.ts';

/* Columns with the folded forms of names. Every write of a name must write them as well. */

interface UserNames {
  readonly email?: string | null | undefined;
  readonly username?: string | null | undefined;
  readonly displayName?: string | null | undefined;
}

/** Returns the folded columns of those names of a user that are defined. */
export function foldedUser({ email, username, displayName }: UserNames) {
  return {
    ...(email !== undefined && { emailFolded: email && fold(email) }),
    ...(username !== undefined && {
      usernameFolded: username && fold(username),
      usernameSearch: username && foldForSearch(username),
    }),
    ...(displayName !== undefined && { displayNameSearch: displayName && foldForSearch(displayName) }),
  };
}

/** Returns the folded columns of a group. */
export function foldedGroup(name: string) {
  return { nameFolded: foldName(name), nameSearch: foldForSearch(name) };
}

/** Separates a folded name from the id of its row if another old row has the same name. No name contains it. */
const AMBIGUOUS = '\u{1}';

/** Returns the folded name for a row whose name another row has as well. */
export const ambiguous = (folded: string, id: number): string => `${folded}${AMBIGUOUS}${id}`;

/**
 * Returns a function that returns a folded name for the first row with it, and an ambiguous name for the others. `taken`
 * are names of rows that have theirs already.
 */
export function createUniqueNames(taken: readonly (string | null)[]) {
  const known = new Set(taken);
  return <Name extends string | null | undefined>(folded: Name, id: number): Name | string => {
    if (folded == null) return folded;
    if (known.has(folded)) return ambiguous(folded, id);
    known.add(folded);
    return folded;
  };
}
