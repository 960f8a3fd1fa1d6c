/** The emoji of Unicode's RGI set (UTS #51), sequences included. */
const EMOJI = /^\p{RGI_Emoji}$/v;
/** Asks for the colourful form of a character that has a plain one as well. */
const VARIATION_SELECTOR = '\u{FE0F}';

/** A single emoji in its fully qualified form; undefined for anything else. */
export function emojiOf(text: string): string | undefined {
  return [text, text + VARIATION_SELECTOR].find((candidate) => EMOJI.test(candidate));
}
