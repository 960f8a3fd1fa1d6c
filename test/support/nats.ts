import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectToNats } from '@nats-io/transport-node';
import { freePort } from './harness.ts';
import { isInstalled } from './installed.ts';

/** A NATS server that a test can stop and start again. */
export interface NatsServer {
  readonly url: string;
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Undefined when `nats-server` is not installed. */
export async function natsServer(...args: string[]): Promise<NatsServer | undefined> {
  if (!isInstalled('nats-server')) return undefined;
  const port = await freePort();
  let child: ChildProcess | undefined;
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    url: `nats://127.0.0.1:${port}`,
    async start() {
      if (isRunning()) return;
      child = spawn('nats-server', ['-a', '127.0.0.1', '-p', `${port}`, ...args], { stdio: 'ignore' });
      while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async stop(signal = 'SIGKILL') {
      if (!child || !isRunning()) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

/** Resolves when nodes have sent so many beats. */
export async function beats({ url }: NatsServer, count: number): Promise<void> {
  const stranger = await connectToNats({ servers: [new URL(url).host] });
  let left = count;
  for await (const message of stranger.subscribe('parley.nodes'))
    if (message.json<{ kind: string }>().kind === 'beat' && --left === 0) break;
  await stranger.close();
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => resolve(true)); // its INFO
    socket.once('error', () => resolve(false));
    socket.once('data', () => socket.destroy());
  });
}
