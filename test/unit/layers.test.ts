import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';

/**
 * The folders of src and the files next to them, by name, from the lowest layer to the highest: each may import those
 * before it or in the same row, and none after it.
 */
const LAYERS = [
  [
    'ids',
    'limits',
    'version',
    'text',
    'files',
    'misspeltSettings',
    'databaseUrl',
    'FairQueue',
    'ByteBudget',
    'lruCache',
  ],
  ['protocol'],
  ['secrets', 'observability', 'EnvironmentReader', 'authSettings', 'config', 'net', 'dataDir'],
  ['database'],
  ['auth', 'bus'],
  ['users'],
  ['chats'],
  ['messages'],
  ['accounts'],
  ['sync', 'sessions', 'presence'],
  ['events'],
  ['webhooks'],
  ['commands'],
  ['docs'],
  ['http', 'socket', 'admin'],
  ['server'],
  ['main', 'Workers', 'Supervisor', 'cluster'],
];

/** The subjects of the domain, which do not import the transport. */
const DOMAIN = [
  'users',
  'chats',
  'messages',
  'accounts',
  'sync',
  'sessions',
  'presence',
  'events',
  'webhooks',
];
const TRANSPORT = ['commands', 'http', 'socket', 'admin'];

/** The layers that the client and the page may import. */
const CLIENT_MAY_IMPORT = ['protocol', 'client'];
const PAGE_MAY_IMPORT = ['web', 'client'];

/** The package of the native server, and the folders that know its types. */
const NATIVE = 'uWebSockets.js';
const NATIVE_FOLDERS = ['net', 'http', 'socket'];

interface Import {
  readonly from: string;
  /** A file from the root of the repository, or a package. */
  readonly to: string;
  readonly isType: boolean;
}

/** Static imports and exports, with or without names, and dynamic imports. */
const IMPORT =
  /^(?:import|export)\s(type\s)?[^;'"]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm;

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, named, bare, dynamic]) => {
    const to = named ?? bare ?? dynamic ?? '';
    const path = to.startsWith('.') ? normalize(join(dirname(file), to)) : to;
    return { from: file, to: path, isType: type !== undefined };
  });
}

/** The folder or the file of src that a file belongs to, or `web`; undefined for a package. */
function partOf(path: string): string | undefined {
  const [root, part] = path.split('/');
  return root === 'src' ? part?.replace(/\.\w+$/, '') : root === 'web' ? root : undefined;
}

const rankOf = (part: string): number => LAYERS.findIndex((layer) => layer.includes(part));

/** Returns the reason for which an import must not be there, if there is one. */
function problemOf({ from, to }: Import): string | undefined {
  const [user, used] = [partOf(from) ?? '', partOf(to)];
  if (to === NATIVE) return NATIVE_FOLDERS.includes(user) ? undefined : 'must not know the native server';
  if (used === undefined || used === user) return undefined;
  if (user === 'client') return CLIENT_MAY_IMPORT.includes(used) ? undefined : 'is not for clients';
  if (user === 'web') return PAGE_MAY_IMPORT.includes(used) ? undefined : 'is not for the page';
  if (rankOf(user) < 0 || rankOf(used) < 0) return 'has a part without a layer';
  return rankOf(user) < rankOf(used) ? 'points from a lower layer to a higher one' : undefined;
}

const problemsIn = (imports: readonly Import[]): string[] =>
  imports.flatMap((each) => {
    const problem = problemOf(each);
    return problem === undefined ? [] : [`${each.from} → ${each.to} ${problem}`];
  });

/** Returns the first cycle among imports, as `name` groups their ends, from an end back to itself; empty without one. */
function cycleIn(imports: readonly Import[], name: (path: string) => string | undefined): string[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [user, used] = [name(from), name(to)];
    if (user === undefined || used === undefined || user === used) continue;
    targets.set(user, (targets.get(user) ?? new Set()).add(used));
  }
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (each: string): string[] => {
    const at = path.indexOf(each);
    if (at >= 0) return [...path.slice(at), each];
    if (done.has(each)) return [];
    path.push(each);
    for (const next of targets.get(each) ?? []) {
      const cycle = visit(next);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(each);
    return [];
  };
  for (const each of targets.keys()) {
    const cycle = visit(each);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

const fileOf = (path: string) => (partOf(path) === undefined ? undefined : path);

describe('the imports of src and web', () => {
  const files = ['src', 'web/src'].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|tsx|js)$/.test(file))
      .map((file) => join(root, file)),
  );
  const imports = files.flatMap((file) => importsOf(file, readFileSync(file, 'utf8')));

  it('are found', () => {
    expect(files).to.include('src/server.ts').and.to.include('web/src/App.tsx');
    expect(imports).to.deep.include({ from: 'src/server.ts', to: 'src/config.ts', isType: true });
    expect(imports.filter(({ to }) => to === NATIVE)).not.to.be.empty;
  });

  it('point from a higher layer to a lower one', () => {
    expect(problemsIn(imports)).to.deep.equal([]);
  });

  it('have no cycle, neither of files nor of folders', () => {
    expect(cycleIn(imports, fileOf)).to.deep.equal([]);
    expect(cycleIn(imports, partOf)).to.deep.equal([]);
  });

  it('use every listed layer', () => {
    const parts = new Set(files.map(partOf));
    expect(LAYERS.flat().filter((part) => !parts.has(part))).to.deep.equal([]);
  });

  it('have the order that ARCHITECTURE.md shows', () => {
    const order = LAYERS.map((layer) => `\`${layer.join(', ')}\``).join(' ← ');
    expect(readFileSync('ARCHITECTURE.md', 'utf8').replaceAll(/\s+/g, ' ')).to.include(order);
  });
});

describe('the check of imports', () => {
  const arrow = (from: string, to: string, isType = false): Import => ({ from, to, isType });

  it('reads static, bare, dynamic and exported imports over several lines', () => {
    const text = `import type { A } from '../a.ts';
import {
  b,
} from './b.ts';
import './c.css';
export { d } from 'd';
export type { e } from './e.ts';
const f = await import('../f/f.ts');
const notOne = "from './g.ts'";
`;
    expect(importsOf('src/x/y.ts', text)).to.deep.equal([
      arrow('src/x/y.ts', 'src/a.ts', true),
      arrow('src/x/y.ts', 'src/x/b.ts'),
      arrow('src/x/y.ts', 'src/x/c.css'),
      arrow('src/x/y.ts', 'd'),
      arrow('src/x/y.ts', 'src/x/e.ts', true),
      arrow('src/x/y.ts', 'src/f/f.ts'),
    ]);
  });

  it('refuses an arrow from a lower layer to a higher one, of types as well', () => {
    const up = arrow('src/chats/publish.ts', 'src/commands/context.ts', true);
    const down = arrow('src/commands/leaveGroup.ts', 'src/chats/leave.ts');
    expect(problemsIn([up, down])).to.deep.equal([
      'src/chats/publish.ts → src/commands/context.ts points from a lower layer to a higher one',
    ]);
  });

  it('refuses every transport in the domain', () => {
    const imports = DOMAIN.flatMap((subject) =>
      TRANSPORT.map((transport) => arrow(`src/${subject}/a.ts`, `src/${transport}/b.ts`)),
    );
    expect(problemsIn(imports)).to.have.length(imports.length);
  });

  it('refuses the native server outside of net, http and socket', () => {
    expect(problemsIn([arrow('src/socket/a.ts', NATIVE), arrow('src/net/a.ts', NATIVE)])).to.deep.equal([]);
    expect(problemsIn([arrow('src/server.ts', NATIVE, true)])).to.have.length(1);
  });

  it('allows a client only the protocol, and the page only the client', () => {
    const right = [
      arrow('src/client/errors.ts', 'src/protocol/errors.ts'),
      arrow('web/src/App.tsx', 'src/client/index.ts'),
    ];
    const wrong = [
      arrow('src/client/protocol.ts', 'src/commands/registry.ts', true),
      arrow('src/client/protocol.ts', 'src/commands/define.ts', true),
      arrow('web/src/App.tsx', 'src/protocol/errors.ts'),
      arrow('src/server.ts', 'src/client/index.ts'),
    ];
    expect(problemsIn(right)).to.deep.equal([]);
    expect(problemsIn(wrong)).to.have.length(wrong.length);
  });

  it('refuses a folder that has no layer', () => {
    expect(problemsIn([arrow('src/helpers/a.ts', 'src/ids.ts')])).to.have.length(1);
  });

  it('finds a cycle of files within a folder, and of folders whose files have none', () => {
    const files = [
      arrow('src/chats/a.ts', 'src/chats/b.ts'),
      arrow('src/chats/b.ts', 'src/chats/c.ts'),
      arrow('src/chats/c.ts', 'src/chats/b.ts'),
    ];
    expect(cycleIn(files, fileOf)).to.deep.equal(['src/chats/b.ts', 'src/chats/c.ts', 'src/chats/b.ts']);
    expect(cycleIn(files, partOf)).to.deep.equal([]);
    const folders = [arrow('src/auth/a.ts', 'src/bus/b.ts'), arrow('src/bus/c.ts', 'src/auth/d.ts')];
    expect(cycleIn(folders, fileOf)).to.deep.equal([]);
    expect(cycleIn(folders, partOf)).to.deep.equal(['auth', 'bus', 'auth']);
  });
});
