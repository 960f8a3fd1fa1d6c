import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort, http } from './harness.ts';
import { until } from './until.ts';

/** A Caddy with the configuration of `docs/operations.md`, in front of nodes of the tests. */
export interface Caddy {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts Caddy with the configuration of the documentation, in which only addresses are replaced. */
export async function startCaddy(folder: string, one: number, two: number): Promise<Caddy> {
  const [, documented = ''] =
    /^```caddy\n(.*?)^```/ms.exec(await readFile('docs/operations.md', 'utf8')) ?? [];
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const configuration = documented
    .replace('chat.example.com {', `${url} {`)
    .replace('10.0.0.1:3000', `127.0.0.1:${one}`)
    .replace('10.0.0.2:3000', `127.0.0.1:${two}`);
  const file = join(folder, 'Caddyfile');
  await writeFile(file, `{\n  admin off\n}\n${configuration}`);
  const child = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const output = text(child.stderr);
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`caddy ended: ${await output}`);
    return (await http('GET', '/health/ready', { url }).catch(() => null))?.status === 200;
  });
  return { port, url, stop };
}
