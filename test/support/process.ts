import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own, as an operator starts it. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly url: string;
  /** All lines logged so far. */
  readonly log: readonly Record<string, unknown>[];
  /** Sends a signal and resolves to the exit code once the process has ended. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

export interface Failure {
  readonly exitCode: number | null;
  readonly stderr: string;
}

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Starts the built server in `cwd`, by another program if there is a `launcher`, and returns at once. */
export function spawnServer(
  env: Record<string, string>,
  stdio: StdioOptions,
  cwd = process.cwd(),
  launcher: readonly string[] = [],
): ChildProcess {
  const [program, ...args] = [...launcher, process.execPath, MAIN];
  return spawn(program as string, args, {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      HOST: '127.0.0.1',
      PORT: '0',
      RATE_LIMITS: 'off',
      ...env,
    },
    stdio,
  });
}

/**
 * Starts the built server, in `cwd`, and resolves when it listens; rejects with a {@link Failure} when it exits
 * before.
 */
export function startProcess(
  env: Record<string, string>,
  cwd = process.cwd(),
  launcher: readonly string[] = [],
): Promise<ServerProcess> {
  const child = spawnServer(env, ['ignore', 'pipe', 'pipe'], cwd, launcher);
  const { stdout, stderr: errors } = child;
  if (!stdout || !errors) throw new Error('the server has no output');
  const exited = once(child, 'exit');
  const log: Record<string, unknown>[] = [];
  let stderr = '';
  errors.on('data', (chunk) => {
    stderr += chunk;
  });

  return new Promise((resolve, reject) => {
    exited.then(([exitCode]) => reject({ exitCode, stderr } satisfies Failure));
    createInterface({ input: stdout }).on('line', (line) => {
      const entry = JSON.parse(line);
      log.push(entry);
      if (entry.msg !== 'listening') return;
      resolve({
        child,
        port: entry.port,
        url: `http://127.0.0.1:${entry.port}`,
        log,
        async stop(signal) {
          child.kill(signal);
          return (await exited)[0];
        },
      });
    });
  });
}
