import { execFile, spawnSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { useDataFolder, useUsedDataFolder } from '../support/dataFolder.ts';
import { connectAs, http, newUser } from '../support/harness.ts';
import { type Failure, startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

describe('the data folder of a server that has run with the embedded database', function () {
  this.timeout(180_000);
  const data = useUsedDataFolder();

  it('keeps accounts, messages and tokens across a restart', async () => {
    const first = await data.start();
    const ada = await newUser(first.url);
    const client = await ada.connect();
    await client.call('privateMessage', { receiverId: ada.id, content: 'remember', clientMessageId: 'm-1' });
    expect(await first.stop('SIGTERM')).to.equal(0);

    const second = await data.start();
    const again = await connectAs(ada.token, second.url);
    const stored = (await again.call('getlatestMessageDialog', { receiverId: ada.id })).params.data;
    expect(stored).to.have.length(1);
    const repeat = { receiverId: ada.id, content: 'remember', clientMessageId: 'm-1' };
    expect((await again.call('privateMessage', repeat)).params.messageId).to.equal(stored[0].id);
  });

  it('has all acknowledged messages after kill -9 in the middle of sending, once and in order', async () => {
    const first = await data.start();
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

    const second = await data.start();
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
    const first = await data.start();
    const ada = await newUser(first.url);
    const pidFile = join(data.folder, 'postgres', 'postmaster.pid');
    const postmaster = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
    process.kill(postmaster, 'SIGKILL');
    await first.stop('SIGKILL');

    const second = await data.start();
    expect((await http('POST', '/auth/login', { body: ada, url: second.url })).status).to.equal(400);
    const { username, password } = ada;
    expect(
      (await http('POST', '/auth/login', { body: { username, password }, url: second.url })).status,
    ).to.equal(200);
  });

  it('restarts the database when it is killed under the running server', async () => {
    const { url } = await data.start();
    const ada = await newUser(url);
    const client = await ada.connect();
    const send = (clientMessageId: string) =>
      client.call('privateMessage', { receiverId: ada.id, content: 'x', clientMessageId });
    expect((await send('m-1')).params.seq).to.equal(1);
    const pidFile = join(data.folder, 'postgres', 'postmaster.pid');
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
    const first = await data.start();
    expect(await first.stop('SIGTERM')).to.equal(0);
    await writeFile(join(data.folder, 'postgres', 'postmaster.pid'), `${process.pid}\n`);
    await writeFile(join(data.folder, 'server.pid'), '1');
    await data.start();
  });

  it('refuses a data folder that another live server uses', async () => {
    const first = await data.start();
    const failure: Failure = await startProcess({ DATA_DIR: data.folder }).catch((reason) => reason);
    expect(failure.exitCode).to.equal(1);
    expect(failure.stderr).to.match(/^.* is in use by another server \(process \d+\)\. .*DATA_DIR.*\n$/);
    expect((await http('GET', '/health/ready', { url: first.url })).status).to.equal(200);
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
      const first = await data.start({}, container);
      const failure: Failure = await startProcess({ DATA_DIR: data.folder }, process.cwd(), container).catch(
        (reason) => reason,
      );
      expect(failure.exitCode).to.equal(1);
      expect(failure.stderr).to.match(/^.* is in use by another server \(process 1\)\. .*DATA_DIR.*\n$/);
      expect((await http('GET', '/health/ready', { url: first.url })).status).to.equal(200);

      await first.stop('SIGKILL'); // and its database with it
      await data.start();
    });

    it('refuses a data folder whose database outlived its server in another one', async () => {
      const inShell = [...container, 'sh', '-c', '"$@" & wait; sleep 600', 'sh'];
      const first = await data.start({}, inShell);
      const childOf = async (pid: number) =>
        Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ')[0]);
      process.kill(await childOf(await childOf(first.child.pid as number)), 'SIGKILL');
      await until(
        async () => (await http('GET', '/health/live', { url: first.url }).catch(() => null)) === null,
      );
      const failure: Failure = await startProcess({ DATA_DIR: data.folder }).catch((reason) => reason);
      expect(failure.exitCode).to.equal(1);
      expect(failure.stderr).to.match(
        /^.* is in use by a database that an earlier server left running, .*\n$/,
      );
      await first.stop('SIGKILL');
      await data.start();
    });
  });

  it('refuses a truncated secret, and a database without its password, and explains the remedy', async () => {
    const first = await data.start();
    const ada = await newUser(first.url);
    await first.stop('SIGTERM');
    const refusal = async (): Promise<string> => {
      const failure: Failure = await startProcess({ DATA_DIR: data.folder }).catch((reason) => reason);
      expect(failure.exitCode).to.equal(1);
      return failure.stderr;
    };
    await writeFile(join(data.folder, 'jwt-secret'), 'f'.repeat(20));
    expect(await refusal()).to.match(/^.*jwt-secret has 20 bytes; expected at least 32\. .*delete it.*\n$/);
    await rm(join(data.folder, 'jwt-secret'));

    const passwordFile = join(data.folder, 'postgres-password');
    await writeFile(passwordFile, '');
    const sentence = await refusal();
    expect(sentence).to.match(/^.*postgres-password is empty, and the database in .* was created with .*\n$/);
    // the remedy of the message
    const [, command = ''] = /set them in the database: (.*)\n$/.exec(sentence) ?? [];
    await writeFile(passwordFile, 'x'.repeat(32));
    await promisify(execFile)('sh', ['-c', command.replace('the letters', 'x'.repeat(32))]);
    const { url } = await data.start();
    const { username, password } = ada;
    expect((await http('POST', '/auth/login', { body: { username, password }, url })).status).to.equal(200);
  });
});

describe('the new data folder of a server with the embedded database', function () {
  this.timeout(180_000);
  const data = useDataFolder();

  it('generates the secrets that a full disk left empty', async () => {
    await writeFile(join(data.folder, 'jwt-secret'), '');
    await writeFile(join(data.folder, 'postgres-password'), '');
    const { url } = await data.start();
    const ada = await newUser(url);
    await (await ada.connect()).done('ping');
    for (const file of ['jwt-secret', 'postgres-password'])
      expect(await readFile(join(data.folder, file), 'utf8')).to.match(/^[0-9a-f]{64}$/);
    const left = (await readdir(data.folder)).filter((file) => !/^(jwt-secret|server|postgres)/.test(file));
    expect(left).to.deep.equal([]);
  });

  describe('as root on a machine without the user of the database', () => {
    /** Returns a PATH on which that user appears when a file does, and `useradd` runs this script. */
    async function pathWith(useradd: string): Promise<string> {
      const programs = {
        id: `[ ! -e "${data.folder}/created" ] || exec /usr/bin/id "$@"; exit 1`,
        useradd: `${useradd}; exit 9`,
      };
      for (const [name, script] of Object.entries(programs))
        await writeFile(join(data.folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return `${data.folder}:${process.env.PATH}`;
    }

    before(function () {
      if (process.getuid?.() !== 0) this.skip();
    });

    it('uses the one that another server has just created', async () => {
      await data.start({
        PATH: await pathWith(`touch "${data.folder}/created"`),
        DATA_DIR: join(data.folder, 'data'),
      });
    });

    it('reports in one line that it cannot be created', async () => {
      const PATH = await pathWith('echo "useradd: no space left" >&2');
      const failure: Failure = await startProcess({ PATH, DATA_DIR: data.folder }).catch((reason) => reason);
      expect(failure).to.deep.equal({
        exitCode: 1,
        stderr:
          'PostgreSQL refuses to run as root, and the user "postgres" cannot be created: useradd: no space left. Start the server as an ordinary user, or set DATABASE_URL.\n',
      });
    });
  });
});
