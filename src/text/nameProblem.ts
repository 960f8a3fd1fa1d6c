import { emojiOf } from './emoji.ts';

/** Line breaks and control characters of terminals. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** Controls of the writing direction, which could reverse the text around a name. */
const BIDI = /\p{Bidi_Control}/u;
/**
 * Invisible characters, including some without the property: controls of annotations and hieroglyphs, and two fillers.
 */
const HIDDEN =
  /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\uFFF9-\uFFFB\u{13430}-\u{13440}\u{16FE4}\u{1D159}]/u;
/** A zero width joiner or non-joiner, which is valid between letters of joining scripts, as in Persian and Hindi. */
const JOINER = /[\u200C\u200D]/u;
const JOINED =
  /^[[\p{L}\p{M}]&&[\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]]$/v;
/** Visible characters: no spaces, no marks alone, and not the blank pattern of Braille. */
const VISIBLE = /[[\p{L}\p{N}\p{P}\p{S}]--[\u2800\p{Default_Ignorable_Code_Point}]]/v;

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Returns the problem of a displayed name, such as "must not have line breaks …", or undefined if all of it is visible
 * and readable. Joiners are allowed where RFC 5892 (appendix A) allows them, and in emoji.
 */
export function nameProblem(name: string): string | undefined {
  if (!name.isWellFormed()) return 'must be well-formed Unicode';
  if (CONTROL.test(name)) return `must not have line breaks or control characters (${codeOf(name, CONTROL)})`;
  if (BIDI.test(name)) return `must not have controls of the writing direction (${codeOf(name, BIDI)})`;
  const hidden = hiddenIn(name);
  if (hidden !== undefined) return `must not have characters that are not shown (${codeOf(hidden, HIDDEN)})`;
  if (/^\s*\p{M}/u.test(name)) return 'must not begin with a combining mark';
  if (!VISIBLE.test(name)) return 'must have something that can be seen';
  return undefined;
}

/** Returns an invisible character that is not allowed at its position. */
function hiddenIn(name: string): string | undefined {
  if (!HIDDEN.test(name)) return undefined;
  const rest = [...letters.segment(name)]
    .map(({ segment }) => (emojiOf(segment) === undefined ? segment : '☺'))
    .join('');
  const signs = [...rest];
  return signs.find(
    (sign, index) =>
      HIDDEN.test(sign) &&
      !(JOINER.test(sign) && JOINED.test(signs[index - 1] ?? '') && JOINED.test(signs[index + 1] ?? '')),
  );
}

const codeOf = (text: string, pattern: RegExp): string => {
  const code = pattern.exec(text)?.[0].codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
};
