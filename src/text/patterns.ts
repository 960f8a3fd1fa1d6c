/**
 * Returns a LIKE pattern for texts that contain the folded text, with its wildcards escaped. Returns undefined if the
 * folded text is empty, which matches nothing.
 */
export const containing = (folded: string): string | undefined =>
  folded === '' ? undefined : `%${literally(folded)}%`;

const literally = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
