/** A text as the beginning of a LIKE pattern: its own wildcards stand for themselves. */
export const startingWith = (text: string): string => `${escapeLike(text)}%`;
/** A text as a LIKE pattern for what contains it. */
export const containing = (text: string): string => `%${escapeLike(text)}%`;

const escapeLike = (text: string) => text.replaceAll(/[\\%_]/g, '\\$&');
