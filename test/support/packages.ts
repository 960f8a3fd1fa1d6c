import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A tarball that npm made. */
export interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
  readonly unpackedSize: number;
}

/** Makes the tarball of a package in a folder. */
export async function pack(source: string, folder: string): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', source, '--json', '--pack-destination', folder]);
  return JSON.parse(stdout)[0];
}

/** Installs tarballs of a folder in a new project there, without a network. */
export async function install(folder: string, packed: readonly Packed[]): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const files = packed.map(({ filename }) => `./${filename}`);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...files], { cwd: folder });
}

/** Compiles files of a new project in a folder with packages. Returns the output of the compiler. */
export async function compile(
  folder: string,
  options: object,
  sources: Readonly<Record<string, string>>,
): Promise<string> {
  const project = await mkdtemp(join(folder, 'project-'));
  for (const [name, text] of Object.entries(sources)) await writeFile(join(project, name), text);
  const compilerOptions = {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'es2022',
    types: [],
    ...options,
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = resolve('node_modules/.bin/tsc');
  const { stdout } = await run(tsc, ['-p', project, '--pretty', 'false', '--listFiles']).catch(
    (error) => error,
  );
  return stdout;
}
