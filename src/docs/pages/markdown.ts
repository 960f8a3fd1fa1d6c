import { Marked, type Tokens } from 'marked';
import { codeBlock, escapeHtml, Html, heading, plainText, table } from './html.ts';

/** Renders Markdown of this repository. HTML within it is shown as text. */
const marked = new Marked({
  renderer: {
    html: ({ text }) => escapeHtml(text),
    code: ({ text }) => codeBlock(text).toString(),
    heading({ depth, tokens }) {
      const content = this.parser.parseInline(tokens);
      return heading(levelOf(depth), slugOf(plainText(content)), new Html(content)).toString();
    },
    table({ header, rows }) {
      const inline = ({ tokens }: Tokens.TableCell) => this.parser.parseInline(tokens);
      const head = header.map((cell) => plainText(inline(cell)));
      const body = rows.map(
        (row) => new Html(`<tr>${row.map((cell) => `<td>${inline(cell)}</td>`).join('')}</tr>\n`),
      );
      return table(head, body).toString();
    },
  },
});

/** Pages have one heading of level 1, their title. */
const levelOf = (depth: number): 2 | 3 | 4 => (depth <= 2 ? 2 : depth === 3 ? 3 : 4);

/** Returns the anchor of a heading, as GitHub makes it. */
export const slugOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

export const markdown = (text: string): Html => new Html(marked.parse(text, { async: false }));

/** Renders Markdown without paragraphs. */
export const inline = (text: string): Html => new Html(marked.parseInline(text, { async: false }));

/** Returns the rows of all tables of a text as cells of Markdown, by their first cell without backticks. */
export function tableRows(text: string): ReadonlyMap<string, readonly string[]> {
  const tables = marked.lexer(text).filter((token): token is Tokens.Table => token.type === 'table');
  return new Map(
    tables
      .flatMap(({ rows }) => rows.map((row) => row.map((cell) => cell.text)))
      .map(([first = '', ...rest]) => [first.replaceAll('`', ''), rest]),
  );
}

/** Returns the first block of code in a language. */
export function codeIn(text: string, language: string): string {
  const block = marked.lexer(text).find((token) => token.type === 'code' && token.lang === language);
  return (block as Tokens.Code | undefined)?.text ?? '';
}
