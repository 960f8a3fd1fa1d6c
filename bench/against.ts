import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from './cleanup.ts';
import { UsageError } from './options.ts';
import { signal } from './processes.ts';
import { HERE } from './targets.ts';

const run = promisify(execFile);
const git = (...args: string[]) => run('git', args, { cwd: HERE });

/** Returns the commit of a ref; throws a {@link UsageError} for an unknown ref. */
export function commitOf(ref: string): string {
  try {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
    return execFileSync('git', args, {
      cwd: HERE,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    throw new UsageError(
      `--against must name a commit of this repository, such as main, v1.0.0 or HEAD~3; ${ref} names none`,
    );
  }
}

/**
 * Checks out a commit into a temporary worktree, which is removed at the end, and builds it. Resolves to its folder.
 */
export async function checkOut(commit: string): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  const folder = join(parent, 'checkout');
  atEnd(async () => {
    await git('worktree', 'remove', '--force', folder).catch(() => {}); // it may not exist yet
    await rm(parent, { recursive: true, force: true });
  });
  await git('worktree', 'add', '--detach', folder, commit);
  const lock = (checkout: string) => readFileSync(join(checkout, 'package-lock.json'), 'utf8');
  if (lock(folder) === lock(HERE)) symlinkSync(join(HERE, 'node_modules'), join(folder, 'node_modules'));
  else await npm(folder, 'ci', '--no-audit', '--no-fund');
  await build(folder);
  return folder;
}

/** Builds a checkout. */
export const build = (folder: string): Promise<void> => npm(folder, 'run', 'build', '--silent');

async function npm(folder: string, ...args: string[]): Promise<void> {
  // A separate process group, because processes started by npm would continue after npm is killed.
  const child = spawn('npm', args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const closed = once(child, 'close');
  const kill = atEnd(async () => {
    if (child.exitCode !== null) return;
    signal(-(child.pid as number), 'SIGKILL');
    await closed;
  });
  const [code] = await closed;
  await kill();
  if (code !== 0) throw new Error(`npm ${args[0]} failed in ${folder}:\n${output}`);
}
