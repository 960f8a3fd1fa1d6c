import { readFileSync } from 'node:fs';
import type { CommandDescription } from '../../commands/define.ts';
import type { Examples } from '../examples.ts';
import { protocol } from '../guides.ts';
import type { RouteDescription } from '../openapi.ts';
import { closeCodesPage, errorsPage } from './codePages.ts';
import { commandPage } from './commandPage.ts';
import { guidePage } from './guidePage.ts';
import { httpPage } from './httpPage.ts';
import { documentOf, type ReferencePage } from './layout.ts';
import { commandsPage, overviewPage } from './overviewPage.ts';
import { placesIn } from './searchIndex.ts';
import { typesPage } from './typesPage.ts';

/** A file of the reference. */
export interface ReferenceFile {
  /** The path relative to the folder of the reference; empty for its first page. */
  readonly path: string;
  readonly type: string;
  /** Creates the content, which is a matter of a few milliseconds. */
  content(): string;
}

/**
 * Returns the reference of the WebSocket and of HTTP as static pages, with a search that needs no server. They are made of the
 * definitions of the running server, so that they are never out of date.
 */
export function reference(
  registry: Iterable<CommandDescription>,
  routes: readonly RouteDescription[],
  examples: Examples,
): ReferenceFile[] {
  const commands = [...registry];
  const pages: ReferencePage[] = [
    overviewPage({
      protocol,
      python: () => siteFile('connect.py'),
      go: () => siteFile('connect.go'),
    }),
    commandsPage(commands),
    ...commands.map((command) => commandPage(command, examples)),
    typesPage,
    httpPage(routes, examples),
    guidePage('protocol', 'Protocol'),
    guidePage('client', 'The typed client'),
    guidePage('service-client', 'The typed client for backends'),
    errorsPage(commands, protocol),
    closeCodesPage(protocol),
  ];
  const file = (path: string, type: string, content: () => string) => ({ path, type, content });
  return [
    ...pages.map((page) => file(page.path, 'text/html', () => documentOf(page, commands))),
    file('search.json', 'application/json', () => JSON.stringify(searchIndex(pages))),
    file('search.js', 'text/javascript', () => siteFile('search.js')),
    file('style.css', 'text/css', () => siteFile('style.css')),
  ];
}

const searchIndex = (pages: readonly ReferencePage[]) =>
  pages.flatMap(({ path, title, body }) => placesIn(path, title, body('./').toString()));

/** Returns a file of docs/site, which the package contains. */
const siteFile = (name: string): string =>
  readFileSync(new URL(`../../../docs/site/${name}`, import.meta.url), 'utf8');
