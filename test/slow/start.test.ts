import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { readConfig } from '../../src/config.ts';
import { prepareDataDir } from '../../src/dataDir.ts';
import { assertPort } from '../../src/net/port.ts';
import { StartError } from '../../src/protocol/errors.ts';
import {
  connectAs,
  databaseUrl,
  freePort,
  http,
  JWT_SECRET,
  newUser,
  temporaryFolder,
} from '../support/harness.ts';
import { type Failure, type ServerProcess, spawnServer, startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

describe('a server process with the embedded database', function () {
  this.timeout(180_000);
  let folder: string;
  let running: ServerProcess | undefined;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await running?.stop('SIGTERM');
    running = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  async function start(env: Record<string, string> = {}): Promise<ServerProcess> {
    running = await startProcess({ DATA_DIR: folder, ...env });
    return running;
  }

  it('logs where it listens and where the documents are', async () => {
    const { port, log } = await start();
    const line = log.find(({ msg }) => msg === 'listening');
    expect(line).to.include({
      port,
      url: `http://localhost:${port}`,
      docs: `http://localhost:${port}/docs/`,
      metrics: `http://localhost:${port}/metrics`,
    });
  });

  it('keeps accounts, messages and tokens across a restart', async () => {
    const first = await start();
    const ada = await newUser(first.url);
    const client = await ada.connect();
    await client.call('privateMessage', { receiverId: ada.id, content: 'remember', clientMessageId: 'm-1' });
    expect(await first.stop('SIGTERM')).to.equal(0);

    const second = await start();
    const again = await connectAs(ada.token, second.url);
    const { data } = (await again.call('getlatestMessageDialog', { receiverId: ada.id })).params;
    expect(data).to.have.length(1);
    const repeat = { receiverId: ada.id, content: 'remember', clientMessageId: 'm-1' };
    expect((await again.call('privateMessage', repeat)).params.messageId).to.equal(data[0].id);
  });

  it('has all acknowledged messages after kill -9 in the middle of sending, once and in order', async () => {
    const first = await start();
    const ada = await newUser(first.url);
    const client = await ada.connect();
    const acknowledged: number[] = [];
    client.socket.on('message', (data) => acknowledged.push(JSON.parse(String(data)).params.seq));
    let sent = 0;
    const pump = setInterval(() => {
      for (let n = 0; n < 50; n++)
        client.send('privateMessage', { receiverId: ada.id, content: 'x', clientMessageId: `m-${++sent}` });
    }, 2);
    while (acknowledged.length < 1_000) await new Promise((done) => setImmediate(done));
    clearInterval(pump);
    await first.stop('SIGKILL');
    await client.closed;

    const second = await start();
    const again = await connectAs(ada.token, second.url);
    const stored = async (page: number) =>
      (await again.call('getlatestMessageDialog', { receiverId: ada.id, limit: 100, page })).params.data;
    const seqs: number[] = [];
    for (let page = 1; seqs.at(-1) !== 1; page++)
      seqs.push(...(await stored(page)).map((row: { seq: number }) => row.seq));
    expect(seqs.toReversed()).to.deep.equal(Array.from({ length: seqs.length }, (_, index) => index + 1));
    expect(seqs.length).to.be.at.least(acknowledged.length);
    for (const n of [1, 500, acknowledged.length]) {
      const repeat = { receiverId: ada.id, content: 'x', clientMessageId: `m-${n}` };
      expect((await again.call('privateMessage', repeat)).params.seq).to.equal(n);
    }
  });

  it('starts after kill -9 of server and database together, with the pid files left behind', async () => {
    const first = await start();
    const ada = await newUser(first.url);
    const pidFile = join(folder, 'postgres', 'postmaster.pid');
    const postmaster = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
    process.kill(postmaster, 'SIGKILL');
    await first.stop('SIGKILL');

    const second = await start();
    expect((await http('POST', '/auth/login', { body: ada, url: second.url })).status).to.equal(400);
    const { username, password } = ada;
    expect(
      (await http('POST', '/auth/login', { body: { username, password }, url: second.url })).status,
    ).to.equal(200);
  });

  it('restarts the database when it is killed under the running server', async () => {
    const { url } = await start();
    const ada = await newUser(url);
    const client = await ada.connect();
    const send = (clientMessageId: string) =>
      client.call('privateMessage', { receiverId: ada.id, content: 'x', clientMessageId });
    expect((await send('m-1')).params.seq).to.equal(1);
    const pidFile = join(folder, 'postgres', 'postmaster.pid');
    process.kill(Number((await readFile(pidFile, 'utf8')).split('\n')[0]), 'SIGKILL');

    // A process of the killed database may still answer for a moment: each message is sent until it is stored.
    for (const [clientMessageId, seq] of [
      ['m-2', 2],
      ['m-1', 1],
    ] as const) {
      let answer = await send(clientMessageId);
      while (answer.code === 'UNAVAILABLE') answer = await send(clientMessageId);
      expect(answer.params.seq).to.equal(seq);
    }
  });

  it('ignores a stale pid that belongs to another process', async () => {
    const first = await start();
    expect(await first.stop('SIGTERM')).to.equal(0);
    await writeFile(join(folder, 'postgres', 'postmaster.pid'), `${process.pid}\n`);
    await writeFile(join(folder, 'server.pid'), '1');
    await start();
  });

  it('refuses a data folder that another live server uses', async () => {
    await start();
    const failure: Failure = await startProcess({ DATA_DIR: folder }).catch((reason) => reason);
    expect(failure.exitCode).to.equal(1);
    expect(failure.stderr).to.match(/^.* is in use by another server \(process \d+\)\. .*DATA_DIR.*\n$/);
    expect((await http('GET', '/health/ready', { url: running?.url ?? '' })).status).to.equal(200);
  });

  describe('in a container', () => {
    /** Runs a program in a PID namespace of its own, as a container does; its processes end with it. */
    const container = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

    before(function () {
      if (spawnSync(container[0] as string, [...container.slice(1), 'true']).status === 0) return;
      console.log('      skipped: there are no process namespaces for this user here');
      this.skip();
    });

    it('refuses a data folder that a server in another one uses, whose process has the same id', async () => {
      running = await startProcess({ DATA_DIR: folder }, process.cwd(), container);
      const failure: Failure = await startProcess({ DATA_DIR: folder }, process.cwd(), container).catch(
        (reason) => reason,
      );
      expect(failure.exitCode).to.equal(1);
      expect(failure.stderr).to.match(/^.* is in use by another server \(process 1\)\. .*DATA_DIR.*\n$/);
      expect((await http('GET', '/health/ready', { url: running.url })).status).to.equal(200);

      await running.stop('SIGKILL'); // and its database with it
      await start();
    });

    it('refuses a data folder whose database outlived its server in another one', async () => {
      const inShell = [...container, 'sh', '-c', '"$@" & wait; sleep 600', 'sh'];
      const first = await startProcess({ DATA_DIR: folder }, process.cwd(), inShell);
      const childOf = async (pid: number) =>
        Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ')[0]);
      process.kill(await childOf(await childOf(first.child.pid as number)), 'SIGKILL');
      await until(
        async () => (await http('GET', '/health/live', { url: first.url }).catch(() => null)) === null,
      );
      const failure: Failure = await startProcess({ DATA_DIR: folder }).catch((reason) => reason);
      expect(failure.exitCode).to.equal(1);
      expect(failure.stderr).to.match(
        /^.* is in use by a database that an earlier server left running, .*\n$/,
      );
      await first.stop('SIGKILL');
      await start();
    });
  });

  describe('as root on a machine without the user of the database', () => {
    /** Returns a PATH on which that user appears when a file does, and `useradd` runs this script. */
    async function pathWith(useradd: string): Promise<string> {
      const programs = {
        id: `[ ! -e "${folder}/created" ] || exec /usr/bin/id "$@"; exit 1`,
        useradd: `${useradd}; exit 9`,
      };
      for (const [name, script] of Object.entries(programs))
        await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return `${folder}:${process.env.PATH}`;
    }

    before(function () {
      if (process.getuid?.() !== 0) this.skip();
    });

    it('uses the one that another server has just created', async () => {
      await start({ PATH: await pathWith(`touch "${folder}/created"`), DATA_DIR: join(folder, 'data') });
    });

    it('reports in one line that it cannot be created', async () => {
      const PATH = await pathWith('echo "useradd: no space left" >&2');
      const failure: Failure = await startProcess({ PATH, DATA_DIR: folder }).catch((reason) => reason);
      expect(failure).to.deep.equal({
        exitCode: 1,
        stderr:
          'PostgreSQL refuses to run as root, and the user "postgres" cannot be created: useradd: no space left. Start the server as an ordinary user, or set DATABASE_URL.\n',
      });
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
    await writeFile(join(folder, '.env'), 'PORT=http\nLOG_LEVEL=loud\n');
    const failure: Failure = await startProcess({ PORT: '0' }, folder).catch((reason) => reason);
    expect(failure.stderr).to.match(/^LOG_LEVEL is "loud"; expected one of trace/);
    await rm(join(folder, '.env'));
    await mkdir(join(folder, '.env'));
    const unreadable: Failure = await startProcess({}, folder).catch((reason) => reason);
    expect(unreadable.stderr).to.equal(
      '.env cannot be read (EISDIR); expected a file of settings, or none\n',
    );
  });

  it('warns in one line each about misspelt settings and a low limit of open files', async () => {
    await writeFile(join(folder, '.env'), `DATABASE_URL=${databaseUrl()}\nCOLOUR=red\nLOGLEVEL=info\n`);
    const limited = ['sh', '-c', 'ulimit -n 4096; exec "$@"', 'sh']; // many more than the modules that it reads at once
    running = await startProcess({ PROT: '3001', JWT_SECRET }, folder, limited);
    const warnings = running.log.filter(({ level }) => level === 40).map(({ msg }) => msg);
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
      const failure: Failure = await startProcess({ DATA_DIR: folder, ...env }, folder, launcher).catch(
        (reason) => reason,
      );
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

      await writeFile(join(folder, 'file'), '');
      await symlink(join(folder, 'gone'), join(folder, 'link'));
      const rows: [string, string][] = [
        ['/proc/x/y', 'cannot be created (ENOENT)'],
        [join(folder, 'file'), 'is not a folder'],
        [join(folder, 'link'), 'is not a folder'],
        [join(folder, 'file', 'x'), 'cannot be created (ENOTDIR)'],
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
      expect(await readdir(folder)).to.deep.equal([]); // no database, no secret
    });
  });

  it('refuses a port in use with one line', async () => {
    const { port } = await start();
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
      const { url, stop } = await start({ PORT });
      const client = await (await newUser(url)).connect();
      expect(await stop('SIGTERM')).to.equal(0);
      await client.closed;
    }
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    it(`stops on ${signal}: finishes running commands, closes with 1001, stops the database, exits with 0`, async () => {
      const { url, stop } = await start();
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
      const pidFile = await readFile(join(folder, 'postgres', 'postmaster.pid')).catch(() => 'gone');
      expect(pidFile).to.equal('gone');
      running = undefined;
    });

  it('generates the secrets that a full disk left empty', async () => {
    await writeFile(join(folder, 'jwt-secret'), '');
    await writeFile(join(folder, 'postgres-password'), '');
    const { url } = await start();
    const ada = await newUser(url);
    await (await ada.connect()).done('ping');
    for (const file of ['jwt-secret', 'postgres-password'])
      expect(await readFile(join(folder, file), 'utf8')).to.match(/^[0-9a-f]{64}$/);
    const left = (await readdir(folder)).filter((file) => !/^(jwt-secret|server|postgres)/.test(file));
    expect(left).to.deep.equal([]);
  });

  it('refuses a truncated secret, and a database without its password, and explains the remedy', async () => {
    const first = await start();
    const ada = await newUser(first.url);
    await first.stop('SIGTERM');
    const refusal = async (): Promise<string> => {
      const failure: Failure = await startProcess({ DATA_DIR: folder }).catch((reason) => reason);
      expect(failure.exitCode).to.equal(1);
      return failure.stderr;
    };
    await writeFile(join(folder, 'jwt-secret'), 'f'.repeat(20));
    expect(await refusal()).to.match(/^.*jwt-secret has 20 bytes; expected at least 32\. .*delete it.*\n$/);
    await rm(join(folder, 'jwt-secret'));

    const passwordFile = join(folder, 'postgres-password');
    await writeFile(passwordFile, '');
    const sentence = await refusal();
    expect(sentence).to.match(/^.*postgres-password is empty, and the database in .* was created with .*\n$/);
    // the remedy of the message
    const [, command = ''] = /set them in the database: (.*)\n$/.exec(sentence) ?? [];
    await writeFile(passwordFile, 'x'.repeat(32));
    await promisify(execFile)('sh', ['-c', command.replace('the letters', 'x'.repeat(32))]);
    const { url } = await start();
    const { username, password } = ada;
    expect((await http('POST', '/auth/login', { body: { username, password }, url })).status).to.equal(200);
  });

  it('generates a secret once, readable for its owner only', async () => {
    await start();
    const { stdout } = await promisify(execFile)('stat', ['-c', '%a %s', join(folder, 'jwt-secret')]);
    expect(stdout.trim()).to.equal('600 64');
  });

  it('starts without an existing data folder, also with an external database', async () => {
    const { url } = await start({ DATABASE_URL: databaseUrl(), DATA_DIR: join(folder, 'not', 'yet') });
    expect((await http('GET', '/health/ready', { url })).status).to.equal(200);
    expect(await readFile(join(folder, 'not', 'yet', 'jwt-secret'), 'utf8')).to.have.length(64);
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
      DATA_DIR: folder,
    }).catch((reason) => reason);
    expect(failure.exitCode).to.equal(1);
    expect(failure.stderr).to.match(/^The database does not answer: .*DATABASE_URL.*\n$/);
    expect(failure.stderr).not.to.include('wrong-password');
  });
});
