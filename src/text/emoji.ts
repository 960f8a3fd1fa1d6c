/** The emoji of Unicode's RGI set (UTS #51), sequences included. */
const EMOJI = /^\p{RGI_Emoji}$/v;
/** Asks for the colourful form of a character that has a plain one as well. */
const VARIATION_SELECTOR = '\u{FE0F}';
/** Characters that are plain without it, but for those with a skin tone, which are colourful anyway. */
const PLAIN = /[\p{Emoji}--\p{Emoji_Presentation}](?!\p{Emoji_Modifier})/gv;

/**
 * Returns a single emoji in its fully qualified form, however many of its variation selectors are missing or too many:
 * these are spellings of the same (UTS #51, ED-18 and ED-19). Undefined for anything else.
 */
export function emojiOf(text: string): string | undefined {
  const bare = text.replaceAll(VARIATION_SELECTOR, '');
  return [bare, bare.replaceAll(PLAIN, `$&${VARIATION_SELECTOR}`)].find((candidate) => EMOJI.test(candidate));
}
