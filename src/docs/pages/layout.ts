import type { CommandDescription } from '../../commands/define.ts';
import { VERSION } from '../../version.ts';
import { grouped, pathOf } from './commandGroups.ts';
import { type Html, html } from './html.ts';

/** A page of the reference, without what all pages have in common. */
export interface ReferencePage {
  /** The path relative to the folder of the pages; empty for the overview. */
  readonly path: string;
  readonly title: string;
  /** Returns the content; `root` is the way from this page to the folder of the pages, such as `../`. */
  body(root: string): Html;
}

const LINKS = [
  ['', 'Overview'],
  ['commands', 'Commands'],
  ['types', 'Types'],
  ['protocol', 'Protocol'],
  ['client', 'Client'],
  ['service-client', 'Client for backends'],
  ['errors', 'Errors'],
  ['close-codes', 'Close codes'],
  ['../api/', 'HTTP API'],
  ['../asyncapi.yaml', 'asyncapi.yaml'],
] as const;

/** Returns the way from a page to the folder of the pages. */
function rootOf(path: string): string {
  if (path.startsWith('../')) return '../docs/';
  return path.includes('/') ? '../' : './';
}

/**
 * Returns a page as a document. All its links are relative, because behind a proxy the paths may have a prefix. The
 * commands follow the content in the source, so that on a phone the content comes first.
 */
export function documentOf(page: ReferencePage, commands: readonly CommandDescription[]): string {
  const root = rootOf(page.path);
  const link = (path: string, text: string) =>
    html`<a href="${root}${path}"${path === page.path && html` aria-current="page"`}>${text}</a>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.path && `${page.title} · `}Parley reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}style.css">
<script src="${root}search.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="name"><a href="${root}">Parley</a> <small>${VERSION}</small></p>
<nav aria-label="Pages">${LINKS.map(([path, text]) => html`${link(path, text)}\n`)}</nav>
<search hidden>
<input type="search" aria-label="Search the reference" placeholder="Search (/)" autocomplete="off" spellcheck="false">
<div class="found" hidden><p role="status"></p><ul></ul></div>
</search>
</header>
<main id="content" tabindex="-1">
<h1>${page.title}</h1>
${page.body(root)}</main>
<nav class="commands" aria-label="Commands">
${grouped(commands).map(
  ([group, members]) => html`<h2>${group}</h2>
<ul>
${members.map((command) => html`<li>${link(pathOf(command), command.type)}</li>\n`)}</ul>
`,
)}</nav>
</body>
</html>
`.toString();
}
