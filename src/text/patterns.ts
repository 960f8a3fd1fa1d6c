/*
 * Patterns of LIKE for what somebody looks for, made of a folded text, in which a wildcard stands for itself. Undefined
 * where nothing is left of a text once it is folded: that finds nothing.
 */

/** Returns a pattern for what begins with the folded text. */
export const startingWith = (folded: string): string | undefined =>
  folded === '' ? undefined : `${literally(folded)}%`;

/** Returns a pattern for what contains the folded text. */
export const containing = (folded: string): string | undefined =>
  folded === '' ? undefined : `%${literally(folded)}%`;

const literally = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
