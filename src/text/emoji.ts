/** The emoji of Unicode's RGI set (UTS #51), sequences included. */
const EMOJI = /^\p{RGI_Emoji}$/v;
/** Selects the emoji presentation of a character that has a text presentation as well. */
const VARIATION_SELECTOR = '\u{FE0F}';
/**
 * Characters that have text presentation by default, except those with a skin tone, which always have emoji
 * presentation.
 */
const PLAIN = /[\p{Emoji}--\p{Emoji_Presentation}](?!\p{Emoji_Modifier})/gv;

/**
 * Returns a single emoji in its fully qualified form, regardless of missing or superfluous variation selectors (UTS
 * #51, ED-18 and ED-19). Returns undefined for anything else.
 */
export function emojiOf(text: string): string | undefined {
  const bare = text.replaceAll(VARIATION_SELECTOR, '');
  return [bare, bare.replaceAll(PLAIN, `$&${VARIATION_SELECTOR}`)].find((candidate) => EMOJI.test(candidate));
}
