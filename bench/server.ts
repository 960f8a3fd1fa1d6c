import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { atEnd } from './cleanup.ts';
import { nativeMemory, processorTime, residentMemory, signal } from './processes.ts';

/** A server under load in a separate process. */
export interface BenchServer {
  readonly port: number;
  /** Reads the memory after a garbage collection. */
  memory(): Promise<Memory>;
  /** Processor time used so far in microseconds. */
  processorTime(): number;
  freeze(): void;
  thaw(): void;
  /** Stops the server; with SIGKILL at once. */
  stop(name?: NodeJS.Signals): Promise<void>;
}

/** Memory of a process in bytes. */
export interface Memory {
  /** Objects of JavaScript. */
  readonly heap: number;
  /** Memory allocated by native code with `malloc`. */
  readonly native: number;
  /** Resident memory, including free memory of heaps. */
  readonly resident: number;
}

const PROBE = fileURLToPath(new URL('memoryProbe.mjs', import.meta.url));

/** Milliseconds after a thaw for which warnings are suppressed. */
const QUIET = 1_000;

/**
 * Starts the script of a checkout, and resolves when it has logged `listening`. PROFILE names a folder for CPU
 * profiles.
 */
export async function startServer(
  checkout: string,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<BenchServer> {
  const options = script.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const profile = process.env.PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`] : [];
  const child = spawn(process.execPath, ['--expose-gc', '--import', PROBE, ...profile, ...options, script], {
    cwd: checkout,
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const pid = child.pid as number;
  const probe = child.stdio[3] as Duplex;
  probe.on('error', () => {}); // it has ended
  let quietUntil = 0;
  const warn = (line: string) => {
    if (performance.now() > quietUntil) process.stderr.write(`${line}\n`);
  };
  let last: NodeJS.Signals = 'SIGTERM';
  let isStopping = false;
  const stop = atEnd(async () => {
    isStopping = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    signal(pid, last);
    signal(pid, 'SIGCONT');
    await exited;
  });
  const port = await listening(child, warn);
  child.once('exit', (code, name) => {
    // Otherwise requests would wait forever.
    if (!isStopping) throw new Error(`the server ended by itself with ${code ?? name}`);
  });
  return {
    port,
    async memory() {
      const answered = once(probe, 'data');
      probe.write('?');
      const [line] = await answered;
      return { heap: Number(line.toString()), native: nativeMemory(pid), resident: residentMemory(pid) };
    },
    processorTime: () => processorTime(pid),
    freeze: () => signal(pid, 'SIGSTOP'),
    thaw() {
      quietUntil = performance.now() + QUIET;
      signal(pid, 'SIGCONT');
    },
    stop(name = 'SIGTERM') {
      last = name;
      return stop();
    },
  };
}

function listening(child: ChildProcess, warn: (line: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it listened`)));
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => {
        const entry = JSON.parse(line);
        if (entry.msg === 'listening') resolve(entry.port);
        if (entry.level >= 40) warn(line);
      });
  });
}
