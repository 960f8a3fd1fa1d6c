/** Names one message can mention; further ones are only text. */
const MAX_NAMES = 50;

/** `@` at the beginning of a word, and what a username may consist of. */
const MENTION = /(?<![\p{L}\p{M}\p{N}_.-])@([\p{L}\p{M}\p{N}_.-]{1,64})/gu;

/**
 * The names that may be usernames behind an `@`. A name at the end of a sentence is given with and without the
 * punctuation that a username may end with, too.
 */
export function namesIn(content: string): string[] {
  const names = new Set<string>();
  for (const [, name = ''] of content.matchAll(MENTION)) {
    names.add(name.normalize('NFC'));
    names.add(name.normalize('NFC').replace(/[.-]+$/, ''));
    if (names.size >= MAX_NAMES) break;
  }
  names.delete('');
  return [...names];
}
