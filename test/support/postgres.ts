import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, chmod, chown, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, temporaryFolder } from './harness.ts';
import { until } from './until.ts';

const run = promisify(execFile);

/** A database server of the system, or a pooler, that a test has started. */
export interface Service {
  readonly port: number;
  stop(): Promise<void>;
}

export interface PostgresService extends Service {
  /** The folder of its data and, for the superuser `postgres`, of its socket. */
  readonly folder: string;
}

/** Programs that refuse to run as root run as the user of Debian's packages. */
const isRoot = process.getuid?.() === 0;
const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']));
const asPostgres = () => (isRoot ? { uid: id('-u'), gid: id('-g') } : {});

/** Returns the programs of the oldest PostgreSQL of Debian's packages; undefined when none is installed. */
export async function findPostgres(): Promise<string | undefined> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const [oldest] = versions.sort((one, other) => Number(one) - Number(other));
  return oldest && `/usr/lib/postgresql/${oldest}/bin`;
}

/** Returns whether the system has a locale, such as `de_DE.utf8`. */
export const hasLocale = (name: string): boolean =>
  execFileSync('locale', ['-a'], { encoding: 'utf8' }).split('\n').includes(name);

/** Starts a PostgreSQL of the system with a new cluster, created with these parameters of initdb. */
export async function startPostgres(
  binaries: string,
  parameters: readonly string[],
  settings = '',
): Promise<PostgresService> {
  const folder = await temporaryFolder();
  const { uid, gid } = asPostgres();
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  const options = { ...asPostgres(), cwd: '/', env: { LC_ALL: 'C', PATH: process.env.PATH } };
  const data = join(folder, 'data');
  const port = await freePort();
  await run(
    join(binaries, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', ...parameters],
    options,
  );
  await appendFile(
    join(data, 'postgresql.conf'),
    `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = '${folder}'\nfsync = off\n${settings}\n`,
  );
  const control = (...words: string[]) =>
    run(join(binaries, 'pg_ctl'), ['-D', data, '-w', ...words], { ...options, timeout: 60_000 });
  await control('-l', join(folder, 'log'), 'start');
  return {
    port,
    folder,
    async stop() {
      await control('-m', 'immediate', 'stop');
    },
  };
}

export function hasPgbouncer(): boolean {
  return ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].some((path) => existsSync(path));
}

/** Starts a PgBouncer in transaction mode in front of the database of a URL, with a number of connections to it. */
export async function startPgbouncer(
  url: string,
  poolSize: number,
): Promise<Service & { readonly url: string }> {
  const { hostname, port: databasePort, username, password, pathname } = new URL(url);
  const folder = await temporaryFolder();
  await chmod(folder, 0o755);
  const port = await freePort();
  const users = join(folder, 'users');
  await writeFile(users, `"${username}" "${password}"\n`);
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
* = host=${hostname} port=${databasePort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${poolSize}
server_round_robin = 1
`,
  );
  const child = spawn('pgbouncer', ['-q', file], { ...asPostgres(), stdio: 'ignore' });
  const exited = once(child, 'exit');
  await until(() => isListening(port));
  return {
    port,
    url: `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}
