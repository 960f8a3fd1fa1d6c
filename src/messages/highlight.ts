import { foldWithSources } from '../text/fold.ts';

/** What the database puts around hits: characters of the private use area, which the words it gets do not have. */
export const HIT_START = '\u{E000}';
export const HIT_END = '\u{E001}';
const MARKS = new RegExp(`[${HIT_START}${HIT_END}]`, 'g');

/** Characters shown before and after a hit. */
const AROUND = 60;
/** Parts of a content that are shown. */
const MAX_FRAGMENTS = 2;

export interface HighlightPart {
  readonly text: string;
  readonly hit: boolean;
}

/** Where something is in a text: the index of its first unit, and the one behind its last. */
export type Range = readonly [start: number, end: number];

/**
 * Returns where a content has what was looked for: the words that the database marked in `headline`, the folded content
 * with marks; or, where there are none, the first place that has the folded `text`.
 */
export function hitsIn(content: string, headline: string, text: string): Range[] {
  const { text: folded, sources } = foldWithSources(content);
  const isMarked = headline.replaceAll(MARKS, '').length === folded.length;
  const words = isMarked ? markedIn(headline) : [];
  const at = words.length > 0 || text === '' ? -1 : folded.indexOf(text);
  const found: Range[] = at < 0 ? words : [[at, at + text.length]];
  return found.map(([start, end]) => {
    let next = end;
    while (next < folded.length && sources[next] === sources[end - 1]) next++; // the rest of the last letter
    return [sources[start] ?? 0, next < folded.length ? (sources[next] ?? 0) : content.length];
  });
}

/** Returns where in a text without marks the parts between the marks are. */
function markedIn(headline: string): Range[] {
  const ranges: Range[] = [];
  let [start, marks] = [0, 0];
  for (const { 0: mark, index } of headline.matchAll(MARKS)) {
    if (mark === HIT_START) start = index - marks;
    else ranges.push([start, index - marks]);
    marks++;
  }
  return ranges;
}

/** Returns the parts of a content around the first of the hits, or its beginning where there are none. */
export function highlight(content: string, hits: readonly Range[]): HighlightPart[] {
  const pieces: HighlightPart[] = [];
  let shown = 0; // up to here, of the content
  for (let next = 0, fragments = 0; fragments < MAX_FRAGMENTS; fragments++) {
    const [start, end] = hits[next] ?? [0, 0];
    if (next > 0 && next >= hits.length) break;
    const from = Math.max(shown, before(content, start));
    if (from > shown) pieces.push(part(fragments === 0 ? '… ' : ' … ', false));
    let at = from;
    let to = after(content, end);
    for (let hit = hits[next]; hit !== undefined && hit[0] < to; hit = hits[++next]) {
      pieces.push(
        part(content.slice(at, hit[0]), false),
        part(content.slice(Math.max(at, hit[0]), hit[1]), true),
      );
      at = Math.max(at, hit[1]);
      to = Math.max(to, at);
    }
    pieces.push(part(content.slice(at, to), false));
    shown = to;
    if (hits.length === 0) break;
  }
  if (shown < content.length) pieces.push(part(' …', false));
  return joined(pieces);
}

// A letter has at most two units, so what is cut in the middle is not among the last or first of them.
const before = (content: string, start: number): number =>
  start - [...content.slice(Math.max(0, start - 2 * AROUND), start)].slice(-AROUND).join('').length;
const after = (content: string, end: number): number =>
  end + [...content.slice(end, end + 2 * AROUND)].slice(0, AROUND).join('').length;

/** Returns the same without empty parts and with neighbours of a kind in one. */
function joined(pieces: readonly HighlightPart[]): HighlightPart[] {
  const parts: HighlightPart[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (piece.text === '') continue;
    if (last?.hit === piece.hit) parts[parts.length - 1] = part(last.text + piece.text, piece.hit);
    else parts.push(piece);
  }
  return parts;
}

const part = (text: string, hit: boolean): HighlightPart => ({ text, hit });
