import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import { database } from '../support/harness.ts';

/** The documents for engineers, which name places in the code. */
const DOCUMENTS = ['CONTRIBUTING.md', 'ARCHITECTURE.md', 'docs/ordering.md', 'docs/database.md'];
/** All others. */
const GUIDES = [
  ...['README.md', 'examples/react/README.md', 'docs/client.md', 'docs/service-client.md'],
  ...[
    'docs/commands.md',
    'docs/configuration.md',
    'docs/beside-your-product.md',
    'docs/operations.md',
    'docs/protocol.md',
    'docs/releasing.md',
  ],
];

interface Link {
  readonly text: string;
  /** Path in the repository; empty for the document itself. */
  readonly path: string;
  readonly anchor: string | undefined;
}

const linkPattern = /\[([^\]]*)\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g;

/** Returns the links of a document to files of the repository, without those in blocks of code. */
function linksIn(document: string, markdown: string): Link[] {
  return [...withoutBlocks(markdown).matchAll(linkPattern)].map(([, text = '', target = '', anchor]) => ({
    text,
    path: target === '' ? document : normalize(join(dirname(document), target)),
    anchor,
  }));
}

const withoutBlocks = (markdown: string): string => markdown.replaceAll(/^```.*?^```$/gms, '');

/** Returns the parts of a text in code font. */
const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** Returns the anchors of a document, as GitHub makes them of its headings. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of withoutBlocks(markdown).matchAll(/^#+ (.*)$/gm)) {
    const anchor = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let number = 1; anchors.has(unique); number++) unique = `${anchor}-${number}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Names of classes, types and their members in code font, such as `Connections`, `Link.close` and `#run`. */
const symbolsIn = (markdown: string): string[] =>
  codeIn(withoutBlocks(markdown)).filter((code) => /^(?:#\w+|[A-Z]\w*[a-z]\w*(?:\.#?\w+)?)$/.test(code));

/** Returns the paths in code font that a document mentions without a link. */
const pathsIn = (markdown: string): string[] =>
  codeIn(withoutBlocks(markdown)).filter((code) =>
    /^(src|test|docs|tools|bench|web|migrations)\/[\w./-]+$/.test(code),
  );

const wordsIn = (text: string): string[] => text.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [];

const exists = (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
  );

for (const document of [...DOCUMENTS, ...GUIDES])
  describe(document, () => {
    let markdown: string;
    before(async () => {
      markdown = await readFile(document, 'utf8');
    });

    it('mentions only files that exist', async () => {
      const paths = [...linksIn(document, markdown).map(({ path }) => path), ...pathsIn(markdown)];
      expect(paths).not.to.deep.equal([]);
      const missing = await Promise.all(paths.map(async (path) => ((await exists(path)) ? [] : [path])));
      expect(missing.flat()).to.deep.equal([]);
    });

    it('links to headings that exist', async () => {
      const missing: string[] = [];
      for (const { path, anchor } of linksIn(document, markdown))
        if (anchor !== undefined && !anchorsOf(await readFile(path, 'utf8')).has(anchor))
          missing.push(`${path}#${anchor}`);
      expect(missing).to.deep.equal([]);
    });
  });

for (const document of DOCUMENTS)
  describe(`${document}, beside the code,`, () => {
    let markdown: string;
    before(async () => {
      markdown = await readFile(document, 'utf8');
    });

    it('links names only to files in which they occur', async () => {
      const missing: string[] = [];
      for (const { text, path } of linksIn(document, markdown)) {
        const names = codeIn(text).filter((code) => !/[/\\]|\.(?:ts|js|json|sql)$/.test(code));
        if (names.length === 0) continue;
        const known = new Set(wordsIn(await readFile(path, 'utf8')));
        for (const word of names.flatMap(wordsIn)) if (!known.has(word)) missing.push(`${word} in ${path}`);
      }
      expect(missing).to.deep.equal([]);
    });

    it('names only classes, types and members that occur in a linked file', async () => {
      const paths = new Set(linksIn(document, markdown).map(({ path }) => path));
      const sources = [...paths].filter((path) => /\.(?:ts|sql)$/.test(path));
      const known = new Set(
        (await Promise.all(sources.map((path) => readFile(path, 'utf8')))).flatMap(wordsIn),
      );
      const unknown = symbolsIn(markdown).filter((symbol) =>
        wordsIn(symbol).some((word) => !known.has(word)),
      );
      expect(unknown).to.deep.equal([]);
    });
  });

/** Returns the paths that a shell makes of one with `{a,b}`. */
function expand(path: string): string[] {
  const [braces, list] = /\{([^}]*)\}/.exec(path) ?? [];
  return braces === undefined || list === undefined
    ? [path]
    : list.split(',').flatMap((part) => expand(path.replace(braces, part)));
}

/** Made by whoever follows the guide. */
const OF_THE_READER = 'test/commands/notes.test.ts';

describe('the commands in README.md and CONTRIBUTING.md', () => {
  it('run only files of tests that exist', async () => {
    const documents = await Promise.all(
      ['README.md', 'CONTRIBUTING.md'].map((path) => readFile(path, 'utf8')),
    );
    const commands = documents.flatMap((markdown) => markdown.match(/^npx mocha .*/gm) ?? []);
    const paths = commands.flatMap((command) => command.match(/test\/[^\s*]+ts/g) ?? []).flatMap(expand);
    expect(paths.length).to.be.above(10);
    const missing = await Promise.all(paths.map(async (path) => ((await exists(path)) ? [] : [path])));
    expect(missing.flat()).to.deep.equal([OF_THE_READER]);
  });
});

describe('docs/database.md and the schema', () => {
  /** The section of each table, by its name. */
  let sections: Map<string, string>;
  let markdown: string;
  before(async () => {
    markdown = await readFile('docs/database.md', 'utf8');
    const parts = markdown.split(/^#{2,4} /m);
    sections = new Map(
      parts.flatMap((part) => {
        const table = /^`(\w+)`\n/.exec(part)?.[1];
        return table === undefined ? [] : [[table, part]];
      }),
    );
  });

  /** Returns the names of the columns, indexes or triggers of each table. */
  async function ofTables(statement: string): Promise<Map<string, string[]>> {
    const rows = await database.query<{ table: string; names: string[] }>(statement, []);
    return new Map(rows.map(({ table, names }) => [table, names]));
  }

  it('has a section for every table, and for nothing else', async () => {
    const tables = [...(await ofTables(columnsOfTables)).keys()];
    expect([...sections.keys()]).to.have.members(tables);
  });

  it('names every column of a table in its section', async () => {
    const missing: string[] = [];
    for (const [table, columns] of await ofTables(columnsOfTables)) {
      const named = new Set(codeIn(sections.get(table) ?? ''));
      for (const column of columns) if (!named.has(column)) missing.push(`${table}.${column}`);
    }
    expect(missing).to.deep.equal([]);
  });

  it('describes only columns that a table has', async () => {
    const columnsOf = await ofTables(columnsOfTables);
    const unknown: string[] = [];
    for (const [table, section] of sections)
      for (const [, cell = ''] of firstTableOf(section, 'column').matchAll(/^\| ([^|]*) \|/gm))
        for (const column of codeIn(cell))
          if (!columnsOf.get(table)?.includes(column)) unknown.push(`${table}.${column}`);
    expect(unknown).to.deep.equal([]);
  });

  it('names every index of a table in its section, and no index that is not there', async () => {
    const indexesOf = await ofTables(indexesOfTables);
    const wrong: string[] = [];
    for (const [table, indexes] of indexesOf) {
      const named = new Set(codeIn(sections.get(table) ?? ''));
      for (const index of indexes) if (!named.has(index)) wrong.push(`missing: ${index}`);
    }
    const known = new Set([...indexesOf.values()].flat());
    for (const section of sections.values())
      for (const [, cell = ''] of firstTableOf(section, 'index').matchAll(/^\| ([^|(]*)/gm))
        for (const index of codeIn(cell)) if (!known.has(index)) wrong.push(`unknown: ${index}`);
    expect(wrong).to.deep.equal([]);
  });

  it('names every trigger and function', async () => {
    const named = new Set(codeIn(markdown));
    const rows = await database.query<{ name: string }>(triggersAndFunctions, []);
    expect(rows.length).to.be.above(10);
    expect(rows.map(({ name }) => name).filter((name) => !named.has(name))).to.deep.equal([]);
  });
});

/** Returns the rows of the table in a section whose first column has a title. */
const firstTableOf = (section: string, title: string): string =>
  new RegExp(`^\\| ${title} \\|.*\\n\\| --- .*\\n((?:\\|.*\\n)*)`, 'm').exec(section)?.[1] ?? '';

const tables = `
select oid, relname from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
`;

const columnsOfTables = `
select relname as "table", (
  select array_agg(attname::text order by attnum) from pg_attribute
  where attrelid = tables.oid and attnum > 0 and not attisdropped
) as names
from (${tables}) tables
`;

const indexesOfTables = `
select relname as "table", (
  select array_agg(indexrelid::regclass::text) from pg_index where indrelid = tables.oid
) as names
from (${tables}) tables
`;

const triggersAndFunctions = `
select tgname::text as name from pg_trigger where not tgisinternal
union
select proname::text from pg_proc
where pronamespace = current_schema()::regnamespace
  and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
`;
