import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readConfig } from '../../src/config.ts';
import { prepareDataDir } from '../../src/dataDir.ts';
import { assertPort } from '../../src/net/port.ts';
import { StartError } from '../../src/protocol/errors.ts';
import { useDataFolder } from '../support/dataFolder.ts';
import {
  connectAs,
  databaseUrl,
  freePort,
  http,
  JWT_SECRET,
  newUser,
  temporaryFolder,
} from '../support/harness.ts';
import { type Failure, spawnServer, startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

describe('the start and the stop of a server process', function () {
  this.timeout(180_000);
  const data = useDataFolder();
  /** The database of this run, which takes seconds less to start than a new one. */
  const external = () => ({ DATABASE_URL: databaseUrl() });

  it('logs where it listens and where the documents are', async () => {
    const { port, log } = await data.start(external());
    const line = log.find(({ msg }) => msg === 'listening');
    expect(line).to.include({
      port,
      url: `http://localhost:${port}`,
      docs: `http://localhost:${port}/docs/`,
      metrics: `http://localhost:${port}/metrics`,
    });
  });
  it('refuses a wrong setting with one line', async () => {
    const failure: Failure = await startProcess({ PORT: 'http' }).catch((reason) => reason);
    expect(failure).to.deep.equal({
      exitCode: 1,
      stderr: 'PORT is "http"; expected an integer from 0 to 65535\n',
    });
  });

  it('reads a .env file, whose settings the environment overrides', async () => {
    await writeFile(join(data.folder, '.env'), 'PORT=http\nLOG_LEVEL=loud\n');
    const failure: Failure = await startProcess({ PORT: '0' }, data.folder).catch((reason) => reason);
    expect(failure.stderr).to.match(/^LOG_LEVEL is "loud"; expected one of trace/);
    await rm(join(data.folder, '.env'));
    await mkdir(join(data.folder, '.env'));
    const unreadable: Failure = await startProcess({}, data.folder).catch((reason) => reason);
    expect(unreadable.stderr).to.equal(
      '.env cannot be read (EISDIR); expected a file of settings, or none\n',
    );
  });

  it('warns in one line each about misspelt settings and a low limit of open files', async () => {
    await writeFile(join(data.folder, '.env'), `DATABASE_URL=${databaseUrl()}\nCOLOUR=red\nLOGLEVEL=info\n`);
    const limited = ['sh', '-c', 'ulimit -n 4096; exec "$@"', 'sh']; // many more than the modules that it reads at once
    const { log } = await data.start({ PROT: '3001', JWT_SECRET }, limited, data.folder);
    const warnings = log.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(warnings).to.have.length(platform() === 'linux' ? 4 : 3);
    expect(warnings.slice(0, 3)).to.have.members([
      'PROT is not a setting of Parley; did you mean PORT?',
      'LOGLEVEL is not a setting of Parley; did you mean LOG_LEVEL?',
      'COLOUR is not a setting of Parley',
    ]);
    if (platform() === 'linux')
      expect(warnings[3]).to.match(
        /may open 4096 files, too few for CONNECTIONS_PER_ADDRESS=10000: .*ulimit -n/,
      );
  });

  describe('refuses with one line, before anything is started,', () => {
    const refusal = async (env: Record<string, string>, launcher: string[] = []): Promise<string> => {
      const failure: Failure = await startProcess(
        { DATA_DIR: data.folder, ...env },
        data.folder,
        launcher,
      ).catch((reason) => reason);
      expect(failure.exitCode).to.equal(1);
      return failure.stderr;
    };
    const reasonOf = (start: Promise<unknown>): Promise<unknown> =>
      start.then(
        () => 'started',
        (error) => (error instanceof StartError ? error.message : error),
      );

    it('a data folder that cannot be created, is a file, or is not writable', async function () {
      if (platform() !== 'linux') return this.skip();
      const sentence = (path: string, problem: string, other = 'DATABASE_URL') =>
        `DATA_DIR is "${path}", which ${problem}; expected a folder that the server can create and write to, or ${other} to be set`;
      expect(await refusal({ DATA_DIR: '/proc/x' })).to.equal(
        `${sentence('/proc/x', 'cannot be created (ENOENT)')}\n`,
      );

      await writeFile(join(data.folder, 'file'), '');
      await symlink(join(data.folder, 'gone'), join(data.folder, 'link'));
      const rows: [string, string][] = [
        ['/proc/x/y', 'cannot be created (ENOENT)'],
        [join(data.folder, 'file'), 'is not a folder'],
        [join(data.folder, 'link'), 'is not a folder'],
        [join(data.folder, 'file', 'x'), 'cannot be created (ENOTDIR)'],
        ['/proc/self', 'cannot be written to (ENOENT)'],
      ];
      for (const [path, problem] of rows)
        for (const [env, other] of [
          [{}, 'DATABASE_URL'],
          [{ JWT_SECRET }, 'DATABASE_URL'],
          [{ DATABASE_URL: databaseUrl() }, 'JWT_SECRET'],
        ] as const)
          expect(await reasonOf(prepareDataDir(readConfig({ DATA_DIR: path, ...env })))).to.equal(
            sentence(path, problem, other),
          );
    });

    it('an address that is not available', async () => {
      expect(await reasonOf(assertPort('no.such.host.invalid', 3999))).to.match(
        /^Cannot listen on no\.such\.host\.invalid:3999: HOST cannot be resolved \(E\w+\)\. Set it .*$/,
      );
      expect(await reasonOf(assertPort('203.0.113.7', 3999))).to.equal(
        'Cannot listen on 203.0.113.7:3999: HOST is not an address of this machine. Set it to one, or to 0.0.0.0 or :: for all.',
      );
    });

    it('a port that needs more privileges', async function () {
      const launcher = ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'];
      const first = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '0');
      const isRoot = process.getuid?.() === 0;
      if (Number(first) < 1024 || (isRoot && spawnSync('setpriv', ['true']).status !== 0)) {
        console.log('      skipped: everybody may listen on any port here, or there is no setpriv');
        return this.skip();
      }
      expect(await refusal({ PORT: '81' }, isRoot ? launcher : [])).to.match(
        /^Cannot listen on 127\.0\.0\.1:81: this user may not listen on the port\. Set PORT .*\n$/,
      );
      expect(await readdir(data.folder)).to.deep.equal([]); // no database, no secret
    });
  });

  it('refuses a port in use with one line', async () => {
    const { port } = await data.start(external());
    const other = await temporaryFolder();
    const failure: Failure = await startProcess({ DATA_DIR: other, PORT: String(port) }).catch(
      (reason) => reason,
    );
    expect(failure.exitCode).to.equal(1);
    expect(failure.stderr).to.match(
      new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use.*\\n$`),
    );
    expect(await readdir(other)).to.deep.equal([]); // no database was started
    await rm(other, { recursive: true, force: true });
  });

  it('starts again on its port at once, although clients were connected', async () => {
    const PORT = String(await freePort());
    for (let run = 0; run < 2; run++) {
      const { url, stop } = await data.start({ PORT, ...external() });
      const client = await (await newUser(url)).connect();
      expect(await stop('SIGTERM')).to.equal(0);
      await client.closed;
    }
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    it(`stops on ${signal}: finishes running commands, closes with 1001, stops the database, exits with 0`, async () => {
      const { url, stop } = await data.start();
      const ada = await newUser(url);
      const [busy, quiet] = [await ada.connect(), await ada.connect()];
      const ids = Array.from({ length: 500 }, () =>
        busy.send('privateMessage', { receiverId: ada.id, content: 'x' }),
      );
      await busy.reply(ids[0] as string);

      const startedAt = Date.now();
      const exit = stop(signal);
      const answers = await Promise.all(ids.slice(1).map((id) => busy.reply(id)));
      expect(answers.every(({ success }) => success)).to.equal(true);
      expect([await busy.closed, await quiet.closed]).to.deep.equal([1001, 1001]);
      expect(await exit).to.equal(0);
      expect(Date.now() - startedAt).to.be.lessThan(10_000);
      const pidFile = await readFile(join(data.folder, 'postgres', 'postmaster.pid')).catch(() => 'gone');
      expect(pidFile).to.equal('gone');
    });

  it('generates a secret once, readable for its owner only', async () => {
    await data.start(external());
    const { mode, size } = await stat(join(data.folder, 'jwt-secret'));
    expect([mode & 0o777, size]).to.deep.equal([0o600, 64]);
  });

  it('starts without an existing data folder, also with an external database', async () => {
    const { url } = await data.start({
      DATABASE_URL: databaseUrl(),
      DATA_DIR: join(data.folder, 'not', 'yet'),
    });
    expect((await http('GET', '/health/ready', { url })).status).to.equal(200);
    expect(await readFile(join(data.folder, 'not', 'yet', 'jwt-secret'), 'utf8')).to.have.length(64);
  });

  it('continues while its log cannot be written, as on a full disk', async function () {
    if (!existsSync('/dev/full')) {
      console.log('      skipped: there is no /dev/full here');
      return this.skip();
    }
    const port = await freePort();
    const full = await open('/dev/full', 'w');
    const env = { PORT: String(port), DATABASE_URL: databaseUrl(), JWT_SECRET, LOG_LEVEL: 'debug' };
    const child = spawnServer(env, ['ignore', full.fd, 'inherit']);
    const url = `http://127.0.0.1:${port}`;
    await until(async () => (await http('GET', '/health/ready', { url }).catch(() => null))?.status === 200);
    await (await connectAs((await newUser()).token, url)).done('ping');
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).to.equal(0);
    await full.close();
  });

  it('reports in one line that the database does not answer', async () => {
    const failure: Failure = await startProcess({
      DATABASE_URL: 'postgres://parley:wrong-password@127.0.0.1:1/parley',
      JWT_SECRET: 'x'.repeat(32),
      DATA_DIR: data.folder,
    }).catch((reason) => reason);
    expect(failure.exitCode).to.equal(1);
    expect(failure.stderr).to.match(/^The database does not answer: .*DATABASE_URL.*\n$/);
    expect(failure.stderr).not.to.include('wrong-password');
  });
});
