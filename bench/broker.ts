import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { atEnd } from './cleanup.ts';
import { pause } from './load.ts';
import { processorTime, signal } from './processes.ts';

/** The NATS server of a target. */
export interface Broker {
  readonly url: string;
  /** Processor time used so far in microseconds. */
  processorTime(): number;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Returns true if the program `nats-server` is installed. */
export function hasBroker(): boolean {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export async function startBroker(): Promise<Broker> {
  const port = await freePort();
  const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' });
  const pid = child.pid as number;
  const stop = atEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    signal(pid, 'SIGKILL');
    await exited;
  });
  while (!(await answers(port))) await pause(20);
  return {
    url: `nats://127.0.0.1:${port}`,
    processorTime: () => processorTime(pid),
    freeze: () => signal(pid, 'SIGSTOP'),
    thaw: () => signal(pid, 'SIGCONT'),
    stop,
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return address && typeof address === 'object' ? address.port : 4222;
}
