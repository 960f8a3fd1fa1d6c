/*
 * What somebody looks for, as SQL from an expression for it. Both sides are compared folded, so the wildcards of LIKE are
 * escaped after folding: some letters, such as the full-width ％, become wildcards by it. What nothing is left of once it
 * is folded is null, which finds nothing. To the planner, all of it is a constant.
 */

/** The text as it is compared. */
export const wanted = (text: string): string => `nullif(folded(${text}), '')`;
/** A pattern for what begins with the text. */
export const startingWith = (text: string): string => `(${escaped(text)} || '%')`;
/** A pattern for what contains the text. */
export const containing = (text: string): string => `('%' || ${escaped(text)} || '%')`;
/** True if the index of a pattern (pg_trgm) is of use: without three letters in a row it would be read as a whole. */
export const hasTrigram = (text: string): string => `folded(${text}) ~ '[[:alnum:]]{3}'`;

const escaped = (text: string) => String.raw`regexp_replace(${wanted(text)}, '([\\%_])', '\\\1', 'g')`;
