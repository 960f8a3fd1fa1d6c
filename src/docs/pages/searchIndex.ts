import { plainText } from './html.ts';

/** A place that the search finds: its title, the title of its page, its address and its text. */
export type Place = readonly [title: string, page: string, address: string, text: string];

/** Headings, rows of properties and terms with an anchor. */
const ANCHOR = /<(h[1-6]|th)\b[^>]*\bid="([^"]+)"[^>]*>(.*?)<\/\1>/gs;

/**
 * Returns the places of a page for the search: the page itself, each heading, and each row with an anchor. The text of a
 * place ends where the next place begins; code and the heads of tables are left out, and the cells of a row are separated.
 */
export function placesIn(path: string, title: string, body: string): Place[] {
  const prose = body.replace(/<(pre|thead)\b.*?<\/\1>/gs, ' ').replace(/<\/td>(?=\s*<td)/g, ' · ');
  const anchors = [...prose.matchAll(ANCHOR)];
  const textFrom = (start: number, index: number) => plainText(prose.slice(start, anchors[index]?.index));
  return [
    [title, '', path, textFrom(0, 0)],
    ...anchors.map(([element, , id = '', content = ''], index): Place => {
      const start = (anchors[index]?.index ?? 0) + element.length;
      return [plainText(content), title, `${path}#${id}`, textFrom(start, index + 1)];
    }),
  ];
}
