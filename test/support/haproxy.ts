import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { freePort } from './harness.ts';
import { until } from './until.ts';

/** An HAProxy with the configuration of `docker-compose.yml`, in front of nodes of the tests. */
export interface Balancer {
  readonly port: number;
  readonly url: string;
  /** The state of each node in HAProxy, by its name. */
  nodes(): Promise<Map<string, NodeState>>;
  stop(): Promise<void>;
}

export interface NodeState {
  /** For example `UP` or `DOWN`. */
  readonly status: string;
  readonly connections: number;
}

/** The configuration of the load balancer in the compose file, and the environment of the nodes behind it. */
export interface Shipped {
  readonly configuration: string;
  readonly environment: Readonly<Record<string, string>>;
}

export async function readShipped(): Promise<Shipped> {
  const { configs, services } = parse(await readFile('docker-compose.yml', 'utf8'), { merge: true });
  return { configuration: configs.balancer.content, environment: services['node-1'].environment };
}

/** Returns the sections for HAProxy in `docs/operations.md`, in order. */
export async function readDocumented(): Promise<string[]> {
  const text = await readFile('docs/operations.md', 'utf8');
  return [...text.matchAll(/^```haproxy\n(.*?)^```/gms)].map(([, section = '']) => section);
}

/** Starts HAProxy with a configuration in which only addresses are replaced; resolves when all nodes are up. */
export async function startBalancer(
  configuration: string,
  nodes: Readonly<Record<string, number>>,
  folder: string,
): Promise<Balancer> {
  const port = await freePort();
  const stats = join(folder, 'haproxy.sock');
  let replaced = replaceOnce(configuration, 'bind :3000', `bind 127.0.0.1:${port}`);
  for (const [name, nodePort] of Object.entries(nodes))
    replaced = replaceOnce(replaced, `server ${name} ${name}:3000`, `server ${name} 127.0.0.1:${nodePort}`);
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, `global\n  stats socket ${stats}\n${replaced}`);

  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const output = text(child.stderr);
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  const states = async () => {
    if (child.exitCode !== null) throw new Error(`haproxy ended: ${await output}`);
    const answer = await ask(stats, 'show stat').catch(() => ''); // not listening yet
    const [names = [], ...rows] = answer.split('\n').map((line) => line.split(','));
    const [name, status, sessions] = ['svname', 'status', 'scur'].map((column) => names.indexOf(column));
    return new Map(
      rows
        .map((row) => [name, status, sessions].map((index) => row[index ?? -1] ?? ''))
        .filter(([node = '']) => node in nodes)
        .map(([node = '', state = '', count]) => [node, { status: state, connections: Number(count) }]),
    );
  };

  try {
    await until(async () => {
      const known = await states();
      return Object.keys(nodes).every((node) => known.get(node)?.status === 'UP');
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, url: `http://127.0.0.1:${port}`, nodes: states, stop };
}

function replaceOnce(whole: string, from: string, to: string): string {
  if (whole.split(from).length !== 2) throw new Error(`"${from}" does not occur exactly once: ${whole}`);
  return whole.replace(from, to);
}

/** Sends a command to the socket of HAProxy (https://docs.haproxy.org/2.6/management.html#9.3). */
async function ask(path: string, command: string): Promise<string> {
  const socket = connect(path);
  socket.end(`${command}\n`);
  return text(socket);
}
