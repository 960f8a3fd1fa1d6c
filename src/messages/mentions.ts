/** Names one message can mention; further ones are only text. */
const MAX_NAMES = 50;

/** `@` at the beginning of a word, and what a username may consist of. */
const MENTION = /(?<![\p{L}\p{M}\p{N}_.-])@([\p{L}\p{M}\p{N}_.-]{1,64})/gu;

/** Looked at behind an `@`: a text of nothing but mentions costs no more than one with a few. */
const MAX_MENTIONS = 200;

/**
 * The names that may be usernames behind an `@`. A name at the end of a sentence is given with and without the
 * punctuation that a username may end with, too.
 */
export function namesIn(content: string): string[] {
  const mentioned = new Set<string>();
  let looked = 0;
  for (const [, name = ''] of content.matchAll(MENTION)) {
    mentioned.add(name);
    if (++looked >= MAX_MENTIONS || mentioned.size >= MAX_NAMES) break;
  }
  const names = new Set(
    [...mentioned].flatMap((name) => [name.normalize('NFC'), withoutEnd(name.normalize('NFC'))]),
  );
  names.delete('');
  return [...names].slice(0, MAX_NAMES);
}

/** The name without the `.` and `-` at its end. */
function withoutEnd(name: string): string {
  let end = name.length;
  while (name[end - 1] === '.' || name[end - 1] === '-') end--;
  return name.slice(0, end);
}
