import { type Guide, guide } from '../guides.ts';
import { html } from './html.ts';
import type { ReferencePage } from './layout.ts';
import { markdown, slugOf } from './markdown.ts';

/** A link of Markdown to a file of the repository, which the server does not show. */
const FILE_LINK = /\[([^\]]+)\]\((?!#|https?:)[^)]*\)/g;

/** Returns the page of a guide. */
export function guidePage(name: Guide, title: string): ReferencePage {
  return {
    path: name,
    title,
    body() {
      const text = guide(name).replace(FILE_LINK, '$1');
      return html`<nav aria-label="Sections"><ul class="sections">
${titlesOf(text).map((section) => html`<li><a href="#${slugOf(section)}">${section}</a></li>\n`)}</ul></nav>
${markdown(text)}`;
    },
  };
}

/** Returns the headings of level 2. */
const titlesOf = (text: string): string[] =>
  [...text.replace(/^```.*?^```/gms, '').matchAll(/^## (.+)$/gm)].map(([, title = '']) => title);

/** Returns the text below a heading of level 2. */
export function sectionOf(text: string, title: string): string {
  return `\n${text}`.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}
