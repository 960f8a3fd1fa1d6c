import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeCertificate } from './certificate.ts';
import { freePort, http } from './harness.ts';
import { until } from './until.ts';

/** An nginx with the configuration of `docs/operations.md`, in front of nodes of the tests. */
export interface Nginx {
  /** The URL under which all paths are passed on. */
  readonly url: string;
  /** The URL of the node below a prefix, on a host without other pages; without a trailing slash. */
  readonly prefixed: string;
  readonly port: number;
  /** The port for TLS, with a certificate that is valid if it is trusted itself. */
  readonly tls: { readonly port: number; readonly ca: string };
  stop(): Promise<void>;
}

/** Starts nginx with the configuration of the documentation, in which only addresses are replaced. */
export async function startNginx(folder: string, ...nodePorts: readonly number[]): Promise<Nginx> {
  const [whole = '', location = '', tls = ''] = await documented();
  const [port, prefixedPort, tlsPort] = [await freePort(), await freePort(), await freePort()];
  const { cert, key } = makeCertificate(folder);
  const addressed = (configuration: string, listen: number) =>
    configuration
      .replaceAll(/server 10\.0\.0\.(\d+):3000/g, (_, number) => {
        return `server 127.0.0.1:${nodePorts[number - 1] ?? nodePorts[0]}`;
      })
      .replace('listen 80;', `listen 127.0.0.1:${listen};`);
  const server = whole.slice(whole.indexOf('server {\n  listen'));
  const prefixed = server.replace(/location \/ \{\s+proxy_pass [^;]+;/, location.trim());
  const secure = tls
    .replace('443', `127.0.0.1:${tlsPort}`)
    .replace(/certificate \S+;/, `certificate ${cert};`)
    .replace(/key \S+;/, `key ${key};`);

  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
      ${addressed(whole, port)}
      ${addressed(prefixed, prefixedPort)}
      ${server.replace('  listen 80;\n', secure)}
    }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const output = text(child.stderr);
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${await output}`);
    return (await http('GET', '/health/ready', { url }).catch(() => null))?.status === 200;
  });
  return {
    url,
    prefixed: `http://127.0.0.1:${prefixedPort}/chat`,
    port,
    tls: { port: tlsPort, ca: await readFile(cert, 'utf8') },
    stop,
  };
}

/** Returns the configurations of nginx in the documentation, in order. */
async function documented(): Promise<string[]> {
  const text = await readFile('docs/operations.md', 'utf8');
  return [...text.matchAll(/^```nginx\n(.*?)^```/gms)].map(([, configuration = '']) => configuration);
}
