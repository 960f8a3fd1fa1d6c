import { fold } from '../text/fold.ts';

/** Maximum mentions of a message; further ones are plain text. */
const MAX_MENTIONS = 50;
/** Maximum candidates scanned, so that a text full of mentions costs no more than one with a few. */
const MAX_LOOKED_AT = 200;
/** Maximum names that are looked up for a message. */
const MAX_NAMES = 100;
/** Maximum ends of a name that are tried in a script without spaces. */
const MAX_CUTS = 16;

/** Letters of scripts in which no space separates a name from its neighbours, or particles follow it. */
const UNSPACED =
  '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Hang}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmr}\\p{scx=Mymr}\\p{scx=Tibt}]';
/** Characters of a word of an email address before the `@`. */
const WORD = `[[\\p{L}\\p{M}\\p{N}]--${UNSPACED}--[\\p{Default_Ignorable_Code_Point}]]`;

/**
 * An `@` followed by the characters of usernames. It must not follow a word, with or without signs that may end the
 * local part of an email address: `ada@example.com`, `ada_@example.com`. A full stop cannot end one, so `Hello...@Ada`
 * is a mention.
 */
const MENTION = new RegExp(
  `(?<!${WORD})(?<!${WORD}[_.%+\\-]{0,63}[_%+\\-])@([\\p{L}\\p{M}\\p{N}_.\\-]{1,64})`,
  'gv',
);

/** Positions where a name may end: between two letters, one of which belongs to a script without spaces. */
const CUT = new RegExp(`(?<=${UNSPACED})(?=.)|(?=${UNSPACED})(?<=.)`, 'gv');
const PUNCTUATION_AT_END = /[_.-]+$/;

/**
 * Returns for each mention in a text the folded names that it may refer to, longest first: with and without punctuation
 * at the end, because usernames may end with punctuation, and in scripts without spaces also shorter ones. The first
 * name that belongs to a member of the chat is mentioned.
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
