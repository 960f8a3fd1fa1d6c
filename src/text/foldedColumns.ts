import { fold, foldForSearch, foldName } from './fold.ts';

/* The columns that keep names in folded form, beside the names themselves: whatever writes a name writes them. */

interface UserNames {
  readonly email?: string | null | undefined;
  readonly username?: string | null | undefined;
  readonly displayName?: string | null | undefined;
}

/** Returns the folded columns of a user for those of the names that are given. */
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

/** Stands in a folded name, in front of the id, where another row of before has the same name. No name has it. */
const AMBIGUOUS = '\u{1}';

/** Returns the folded name under which a row keeps a name that another one has, too. */
export const ambiguous = (folded: string, id: number): string => `${folded}${AMBIGUOUS}${id}`;
