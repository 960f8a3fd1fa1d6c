import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program that uses all hooks for React. */
export const REACT_PROGRAM = `
import type { Client } from '@parley-chat/client';
import { ParleyProvider, useChat, useChats, useConnectionState, usePresence } from '@parley-chat/client/react';
function Chat({ receiverId }: { receiverId: number }) {
  const { chat, messages, summary } = useChat({ receiverId });
  const { send } = chat;
  const online = usePresence(receiverId)?.online;
  return <p onClick={() => send('Hi')}>{summary?.name} {messages[0]?.content} {useChats().length} {useConnectionState()} {online}</p>;
}
export const App = ({ client }: { client: Client }) => <ParleyProvider client={client}><Chat receiverId={1} /></ParleyProvider>;
`;

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

const NO_REGISTRY = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT)/;

/** Installs what the lock file of a folder names. Returns false if no registry can be reached. */
export async function installLocked(folder: string): Promise<boolean> {
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  return run('npm', words, { cwd: folder }).then(
    () => true,
    (error) => {
      if (NO_REGISTRY.test(error.stderr)) return false;
      throw error;
    },
  );
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
