/** HTML that is escaped already. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** A value within {@link html}: text is escaped, lists are joined, undefined and false are left out. */
type Value = Html | string | number | undefined | false | readonly Value[];

/** Returns HTML in which all inserted text is escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(textOf)));
}

/** Returns values one after another, with a separator in between. */
export const join = (values: readonly Html[], separator: string): Html =>
  new Html(values.join(escapeHtml(separator)));

function textOf(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(textOf).join('');
  return escapeHtml(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

/** Returns the text of HTML that {@link escapeHtml} made, without its elements. */
export function plainText(markup: string): string {
  const characters = Object.fromEntries(Object.entries(ENTITIES).map(([text, entity]) => [entity, text]));
  return markup
    .replace(/<\/?(?:a|code|em|strong)\b[^>]*>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#?\w+;/g, (entity) => characters[entity] ?? entity)
    .replace(/\s+/g, ' ')
    .trim();
}

/** Returns a heading that links to itself. */
export const heading = (level: 2 | 3 | 4, id: string, content: Html | string): Html => {
  const tag = new Html(`h${level}`);
  return html`<${tag} id="${id}"><a href="#${id}">${content}</a></${tag}>\n`;
};

/** Returns a block of code, which scrolls by itself and can be scrolled with the keyboard. */
export const codeBlock = (code: string): Html => html`<pre tabindex="0"><code>${code}</code></pre>\n`;

/** Returns a table that scrolls by itself where it is too wide. */
export const table = (head: readonly string[], rows: readonly Html[]): Html =>
  html`<div class="scroll" tabindex="0"><table>
<thead><tr>${head.map((cell) => (cell ? html`<th scope="col">${cell}</th>` : html`<td></td>`))}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>
`;
