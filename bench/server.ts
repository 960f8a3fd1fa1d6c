import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server under load: a process of its own on an embedded PostgreSQL in a fresh folder. */
export interface Target {
  readonly port: number;
  /** Of all its nodes, over which clients are spread. */
  readonly ports: readonly number[];
  /** Resident memory in bytes. */
  memory(): number;
  /** CPU time used so far in seconds. */
  cpu(): number;
  /** Ends it, at once with SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Several nodes as one target. */
export function together(...nodes: [Target, ...Target[]]): Target {
  const sum = (of: (node: Target) => number) => nodes.reduce((total, node) => total + of(node), 0);
  return {
    port: nodes[0].port,
    ports: nodes.flatMap(({ ports }) => ports),
    memory: () => sum((node) => node.memory()),
    cpu: () => sum((node) => node.cpu()),
    async stop(signal) {
      await Promise.all(nodes.map((node) => node.stop(signal)));
    },
  };
}

/** Clock ticks per second of /proc/<pid>/stat; 100 on every Linux. */
const TICKS = 100;

/** Starts the built server, or another script that logs `listening` like it, with more settings in `env`. */
export async function startTarget(
  script = 'dist/main.js',
  env: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  await chmod(folder, 0o711);
  const options = script.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const profile = process.env.PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`] : [];
  const child = spawn(process.execPath, [...profile, ...options, script], {
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: folder,
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'info',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = (signal: NodeJS.Signals = 'SIGTERM') => child.kill(signal);
  const onExit = () => kill();
  process.once('exit', onExit);
  const port = await listening(child);
  return {
    port,
    ports: [port],
    memory: () =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    cpu() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    async stop(signal) {
      kill(signal);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      process.off('exit', onExit);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it listened`)));
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => {
        const entry = JSON.parse(line);
        if (entry.msg === 'listening') resolve(entry.port);
        if (entry.level >= 40) process.stderr.write(`${line}\n`);
      });
  });
}

export interface Account {
  readonly id: number;
  readonly token: string;
}

export const BENCH_PASSWORD = 'of the benchmarks';

/** Registers people, whose passwords are hashed side by side. */
export async function register(port: number, count: number): Promise<Account[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const body = JSON.stringify({
        email: `b${n}@example.com`,
        username: `bench${n}`,
        password: BENCH_PASSWORD,
      });
      const answer = await fetch(`http://127.0.0.1:${port}/auth/register`, { method: 'POST', body });
      const { token, user } = (await answer.json()) as { token: string; user: { id: number } };
      return { id: user.id, token };
    }),
  );
}
