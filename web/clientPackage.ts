import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Plugin as RollupPlugin, rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import type { Plugin } from 'vite';
import root from '../package.json' with { type: 'json' };

/** The folder of the package of the client, of which `npm run pack:client` makes a tarball. */
export const PACKAGE = 'dist/package';
/** The folder of the package for backends, of which `npm run pack:service` makes a tarball. */
export const SERVICE_PACKAGE = 'dist/service';
/** The folder of the files that the server serves. */
export const SERVED = 'dist/browser';

/** Completes the package of the client: adds its declarations, its manifest and its documents. */
export function clientPackage(): Plugin {
  return {
    name: 'client-package',
    async writeBundle() {
      await flattenDeclarations();
      await describePackage(PACKAGE, manifest, 'src/client/README.md');
    },
  };
}

/** Completes the package for backends in the same way. Its declarations import the types of the client. */
export function servicePackage(): Plugin {
  return {
    name: 'service-package',
    async writeBundle() {
      const commands = importAs(manifest.name, (path) => path.endsWith('/client/commands.ts'));
      await flatten('service/index', `${SERVICE_PACKAGE}/service.d.ts`, [commands]);
      await describePackage(SERVICE_PACKAGE, serviceManifest, 'src/client/service/README.md');
    },
  };
}

async function describePackage(folder: string, content: object, readme: string): Promise<void> {
  await writeFile(`${folder}/package.json`, `${JSON.stringify(content, null, 2)}\n`);
  await copyFile(readme, `${folder}/README.md`);
  await copyFile('LICENSE', `${folder}/LICENSE`);
}

/** Lets the entry for Node import the one for all platforms, instead of a chunk that both have in common. */
export function importClient(): Plugin {
  return {
    name: 'import-client',
    enforce: 'pre',
    resolveId: (source, importer) =>
      importer?.endsWith('/src/client/node.ts') && source === './index.ts'
        ? { id: './client.js', external: true }
        : undefined,
  };
}

/** Copies what pages and editors load from a server: the client in one file, and its declarations. */
export function serve(): Plugin {
  return {
    name: 'serve',
    async writeBundle() {
      await mkdir(SERVED, { recursive: true });
      for (const file of ['client.js', 'client.d.ts'])
        await copyFile(`${PACKAGE}/${file}`, `${SERVED}/${file}`);
    },
  };
}

/** Characters of a line after which the next statement or member of a class begins another one. */
const LINE = 120;

/** Breaks the lines of the code: Node prints the whole line that threw, and the number of the line says more if it is short. */
export function breakLines(): Plugin {
  return {
    name: 'break-lines',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle))
        if (chunk.type === 'chunk') chunk.code = broken(chunk.code, startsIn(this.parse(chunk.code)));
    },
  };
}

/** Returns where the statements of a program and the members of its classes begin, in order. */
function startsIn(node: unknown): number[] {
  if (typeof node !== 'object' || node === null) return [];
  const inside = Object.values(node).flatMap(startsIn);
  const { type, body } = node as { readonly type?: string; readonly body?: readonly { start: number }[] };
  return type === 'Program' || type === 'ClassBody'
    ? [...(body ?? []).map(({ start }) => start), ...inside].sort((a, b) => a - b)
    : inside;
}

function broken(code: string, starts: readonly number[]): string {
  const lines: string[] = [];
  let from = 0;
  for (const start of starts)
    if (start - from > LINE) {
      lines.push(code.slice(from, start));
      from = start;
    }
  return [...lines, code.slice(from)].join('\n');
}

const manifest = {
  name: '@parley-chat/client',
  version: root.version,
  description: 'The typed client of Parley, a messenger server, for browsers and Node',
  license: root.license,
  type: 'module',
  sideEffects: false,
  engines: root.engines,
  exports: {
    '.': { types: './client.d.ts', node: './node.js', default: './client.js' },
    './react': { types: './react.d.ts', default: './react.js' },
    './package.json': './package.json',
  },
  peerDependencies: { react: '18 || 19', ws: '>=8' },
  peerDependenciesMeta: { react: { optional: true }, ws: { optional: true } },
};

const serviceManifest = {
  name: '@parley-chat/service',
  version: root.version,
  description:
    'The typed client of Parley, a messenger server, for backends: service connections with an API key',
  license: root.license,
  type: 'module',
  sideEffects: false,
  engines: root.engines,
  exports: {
    '.': { types: './service.d.ts', default: './service.js' },
    './package.json': './package.json',
  },
  dependencies: { [manifest.name]: root.version, ws: root.dependencies.ws },
};

/** Joins the declarations that `tsc` wrote: those of the client in one file without imports, and those for React. */
async function flattenDeclarations(): Promise<void> {
  await flatten('index', `${PACKAGE}/client.d.ts`);
  const client = importAs('./client.js', (path) => path.endsWith('/client/index.ts'));
  await flatten('react', `${PACKAGE}/react.d.ts`, [client, importAs('react', (path) => path === 'react')]);
}

/** Joins the declarations of an entry of the client in one file. */
async function flatten(entry: string, file: string, plugins: RollupPlugin[] = []): Promise<void> {
  const bundle = await rollup({ input: `dist/client/${entry}.d.ts`, plugins: [...plugins, dts(), tidy()] });
  await bundle.write({ file });
  await bundle.close();
}

/** Imports a module under a name instead of including it. */
function importAs(name: string, isModule: (path: string) => boolean): RollupPlugin {
  return {
    name: 'import-as',
    resolveId(source, importer = '') {
      const path = source.startsWith('.') ? join(dirname(importer), source) : source;
      return isModule(path) ? { id: name, external: true } : null;
    },
  };
}

/** Exports each declaration in its place instead of in a list at the end, indents by tabs, and writes a command in one line. */
function tidy(): RollupPlugin {
  return {
    name: 'tidy',
    renderChunk(code, { exports }) {
      const names = exports.join('|');
      const lists = /^export (?:type )?\{[^}]*\};\n?/gm;
      const declarations = new RegExp(
        `^(?=(?:declare (?:class|const|function)|interface|type) (?:${names})\\b)`,
        'gm',
      );
      return code
        .replace(/\/\*\*(?:(?!\*\/)[\s\S])*@packageDocumentation[\s\S]*?\*\/\n+/, '')
        .replace(lists, '')
        .replace(declarations, 'export ')
        .replace(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4))
        .replace(/\{\n\t\tparams: (.*);\n\t\tresult: (.*);\n\t\};/g, '{ params: $1; result: $2 };')
        .trimEnd()
        .concat('\nexport {};\n'); // without it, what is not exported would be, too
    },
  };
}
