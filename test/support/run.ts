import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { openDatabase } from '../../src/database/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded.ts';
import { migrate } from '../../src/database/migrations.ts';
import { until } from './until.ts';

/*
 * The parts that all files of a run share: a folder, and one PostgreSQL for each process that runs tests, started by the
 * first file that needs it. Mocha runs the two fixtures in its own process, before and after all others.
 */

/** Builds the server and the client where sources have changed, and creates the folder of the run. */
export async function mochaGlobalSetup(): Promise<void> {
  execFileSync('node_modules/.bin/tsc', ['--build', 'src/client'], { stdio: 'inherit' });
  process.env.TEST_FOLDER = await mkdtemp(join(tmpdir(), 'parley-test-'));
  await chmod(runFolder(), 0o711); // the embedded database has a user of its own
}

/** Stops the databases, also those of processes that have ended, and deletes everything that the tests wrote. */
export async function mochaGlobalTeardown(): Promise<void> {
  await postgres?.stop();
  for (const folder of await readdir(runFolder()))
    await stopPostgres(join(runFolder(), folder, 'postgres', 'postmaster.pid'));
  await rm(runFolder(), { recursive: true, force: true });
}

async function stopPostgres(pidFile: string): Promise<void> {
  const [pid] = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  if (!pid) return;
  process.kill(Number(pid), 'SIGQUIT');
  await until(() => !existsSync(pidFile)); // which it deletes at last
}

const runFolder = (): string => process.env.TEST_FOLDER as string;

/** Creates a folder that the user of the embedded database can enter; it is deleted after the run. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(runFolder(), 'test-'));
  await chmod(folder, 0o711);
  return folder;
}

const TEMPLATE = 'template_of_tests';
let postgres: EmbeddedPostgres | undefined;
let databases = 0;
let createDatabaseIn: Promise<(name: string) => Promise<string>> | undefined;

/** Creates an empty database with the present schema, and returns its URL. */
export async function createDatabase(): Promise<string> {
  createDatabaseIn ??= startPostgres();
  return (await createDatabaseIn)(`test_${++databases}`);
}

async function startPostgres(): Promise<(name: string) => Promise<string>> {
  const folder = join(runFolder(), `process-${process.env.MOCHA_WORKER_ID ?? 0}`);
  await mkdir(folder, { mode: 0o711 });
  const cluster = await startEmbeddedPostgres(folder, pino({ level: 'silent' }));
  postgres = cluster;
  const urlOf = (name: string) => Object.assign(new URL(cluster.url), { pathname: name }).href;

  /** Runs statements on a connection of their own: a test may have restarted the database. */
  const run = async (...statements: string[]) => {
    const admin = new pg.Client(cluster.url);
    admin.on('error', () => {}); // the end of the database is that of the connection
    await admin.connect();
    for (const statement of statements) await admin.query(statement);
    await admin.end();
  };

  // Nothing here has to survive the machine: commits need not wait for its disk.
  await run('alter system set fsync = off', 'alter system set full_page_writes = off');
  await run('select pg_reload_conf()', `create database ${TEMPLATE}`);
  const template = openDatabase(urlOf(TEMPLATE), 1);
  await migrate(template).finally(() => template.close());
  return async (name) => {
    await run(`create database ${name} template ${TEMPLATE} strategy file_copy`); // without a log of each page
    return urlOf(name);
  };
}
