import { fold } from '../text/fold.ts';

/** Mentions that one message can have; further ones are only text. */
const MAX_MENTIONS = 50;
/** Looked at behind an `@`: a text of nothing but mentions costs no more than one with a few. */
const MAX_LOOKED_AT = 200;
/** Names that one message makes the database look up. */
const MAX_NAMES = 100;
/** Ends of a name that are tried within text of a script without spaces. */
const MAX_CUTS = 16;

/** Letters of scripts in which no space divides a name from what stands beside it, or particles follow it. */
const UNSPACED =
  '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Hang}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmr}\\p{scx=Mymr}\\p{scx=Tibt}]';
/** What a word of an email address consists of in front of the `@`. */
const WORD = `[[\\p{L}\\p{M}\\p{N}]--${UNSPACED}--[\\p{Default_Ignorable_Code_Point}]]`;

/**
 * An `@` and what a username may consist of. Not behind a word, with or without signs that may end the name in an email
 * address: `ada@example.com`, `ada_@example.com`. A full stop does not end one, so `Hello...@Ada` is a mention.
 */
const MENTION = new RegExp(
  `(?<!${WORD})(?<!${WORD}[_.%+\\-]{0,63}[_%+\\-])@([\\p{L}\\p{M}\\p{N}_.\\-]{1,64})`,
  'gv',
);

/** Where a name may end: between two letters one of which is of a script without spaces. */
const CUT = new RegExp(`(?<=${UNSPACED})(?=.)|(?=${UNSPACED})(?<=.)`, 'gv');
const PUNCTUATION_AT_END = /[_.-]+$/;

/**
 * Returns for each mention in a text the folded names that may be meant, the longest first: with and without the
 * punctuation at its end, as a username may end with some, too; and, where a script without spaces follows or goes on,
 * those that end in between. The first of them that a member of the chat has is mentioned.
 */
export function namesIn(content: string): string[][] {
  const mentioned = new Map<string, string[]>();
  let [looked, room] = [0, MAX_NAMES];
  for (const [, text = ''] of content.matchAll(MENTION)) {
    if (!mentioned.has(text)) {
      const names = namesAtBeginningOf(text).slice(0, room);
      if (names.length > 0) mentioned.set(text, names);
      room -= names.length;
    }
    if (++looked >= MAX_LOOKED_AT || mentioned.size >= MAX_MENTIONS || room === 0) break;
  }
  return [...mentioned.values()];
}

function namesAtBeginningOf(text: string): string[] {
  const ends = [...text.matchAll(CUT)].map(({ index }) => index).slice(0, MAX_CUTS);
  const names = [...ends, text.length].toReversed().flatMap((end) => {
    const name = text.slice(0, end);
    return [name, name.replace(PUNCTUATION_AT_END, '')].map(fold);
  });
  return [...new Set(names)].filter((name) => name !== '');
}
