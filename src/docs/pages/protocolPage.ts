import { html } from './html.ts';
import type { ReferencePage } from './layout.ts';
import { markdown, slugOf } from './markdown.ts';

/** Returns the page of the protocol. */
export function protocolPage(read: () => string): ReferencePage {
  return {
    path: 'protocol',
    title: 'Protocol',
    body() {
      const protocol = read();
      return html`<nav aria-label="Sections"><ul class="sections">
${titlesOf(protocol).map((title) => html`<li><a href="#${slugOf(title)}">${title}</a></li>\n`)}</ul></nav>
${markdown(protocol)}`;
    },
  };
}

/** Returns the headings of level 2. */
const titlesOf = (protocol: string): string[] =>
  [...protocol.replace(/^```.*?^```/gms, '').matchAll(/^## (.+)$/gm)].map(([, title = '']) => title);

/** Returns the text below a heading of level 2. */
export function sectionOf(protocol: string, title: string): string {
  return `\n${protocol}`.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}
