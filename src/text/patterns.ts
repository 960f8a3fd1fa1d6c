/**
 * Returns a pattern of LIKE for what contains the folded text, in which a wildcard stands for itself. Undefined where
 * nothing is left of a text once it is folded: that finds nothing.
 */
export const containing = (folded: string): string | undefined =>
  folded === '' ? undefined : `%${literally(folded)}%`;

const literally = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
