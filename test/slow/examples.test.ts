import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { commands } from '../../src/commands/registry.ts';
import { examples, messageNames } from '../../src/docs/examples.ts';
import { snippetsOf } from '../../src/docs/pages/snippets.ts';
import type { Frame } from '../support/client.ts';
import {
  connectAs,
  connectService,
  newGroup,
  newKey,
  newUser,
  newUsers,
  server,
  startServer,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

/** A program that runs during the test, and its output. */
interface Program {
  readonly child: ChildProcess;
  /** Resolves when the output matches. */
  prints(pattern: RegExp): Promise<void>;
}

const running: ChildProcess[] = [];

function start(command: string, args: string[], env: Record<string, string> = {}, url = server.url): Program {
  const child = spawn(command, args, { env: { ...process.env, PARLEY_URL: url, ...env }, stdio: 'pipe' });
  running.push(child);
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return {
    child,
    async prints(pattern) {
      const deadline = Date.now() + 15_000;
      while (!pattern.test(output)) {
        if (Date.now() > deadline) throw new Error(`the program printed only:\n${output}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

/** Returns whether a command is available. */
function works(command: string, args: string[], env = process.env): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', env });
    return true;
  } catch {
    return false;
  }
}

function findPython(): string | undefined {
  const python = ['python3', '/usr/bin/python3'].find((command) =>
    works(command, ['-c', 'import websockets']),
  );
  if (!python) console.log('      skipped: there is no Python with the package websockets here');
  return python;
}

/** Calls `use` with a function that builds a program of Go, or skips the test. */
async function useGo(
  test: Mocha.Context,
  use: (build: (file: string) => string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-go-'));
  // Debian installs its packages in GOPATH
  const go = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(folder, 'cache') };
  const env = { ...process.env, ...go };
  const built = join(folder, 'built');
  const build = (file: string) => {
    execFileSync('go', ['build', '-o', built, file], { env });
    return built;
  };
  try {
    if (works('go', ['list', 'github.com/gorilla/websocket'], env)) return await use(build, folder);
    console.log('      skipped: there is no Go with the package gorilla/websocket here');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  test.skip();
}

/** Returns the calls of all recorded requests in a language, as the pages of the commands show them. */
const snippetsIn = (language: string): string[] =>
  commands.flatMap(({ type }) => {
    const [request] = examples.frames[messageNames(type).request] ?? [];
    const { params } = request as { params?: object };
    return snippetsOf(type, params)
      .filter((snippet) => snippet.language === language)
      .map(({ code }) => code);
  });

describe('the examples', function () {
  this.timeout(180_000);
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it('include a bot that answers, also after an outage of the server', async () => {
    const target = await startServer();
    const name = `bot${process.pid}`;
    const bot = start(process.execPath, ['examples/bot.js'], { BOT_NAME: name }, target.url);
    await bot.prints(/online/);
    const ada = await newUser(target.url);
    const client = await ada.connect();
    const [person] = (await client.done('searchUsers', { query: name })).data;
    await client.done('privateMessage', { receiverId: person.userId, content: 'Hi' });
    expect((await client.push('privateMessage')).params.message).to.equal('You said: Hi');
    const groupId = await newGroup(client, { ...ada, id: person.userId });
    await client.done('messageInGroup', { groupId, content: `@${name}, what time is it?` });
    expect((await client.push('messageInGroup')).params.message).to.match(/^It is /);
    await target.close();
    await bot.prints(/offline/);
  });

  it('include an order system, which answers once, whatever events come twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-orders-'));
    const { key } = await newKey('act', 'users', 'events');
    const env = { PARLEY_KEY: key, ORDERS_FILE: join(folder, 'orders.json') };
    const run = () => start(process.execPath, ['examples/orders.js'], env);
    const service = await connectService('users', 'events');
    const { nextCursor: cursor } = await service.done('listEvents', { fromNow: true });
    let orders = run();
    await orders.prints(/online/);
    orders.child.stdin?.write('1001 c-19 paid\n');
    await orders.prints(/1001 paid/);

    const { data } = await service.done('createToken', { user: { externalId: 'c-19' } });
    const customer = await connectAs(data.token);
    const [{ groupId }] = (await customer.done('listLastMessage')).data;
    const isAnswer = ({ type, id, params }: Frame) =>
      type === 'messageInGroup' && id === undefined && params.groupId === groupId;
    const answer = async () => (await customer.next(isAnswer)).params.message;
    const ask = async (content: string) => {
      await customer.done('messageInGroup', { groupId, content });
      return answer();
    };
    expect(await ask('Where is my bicycle?')).to.equal('Order 1001 is paid.');
    expect(await ask('Please cancel it')).to.equal('Order 1001 is cancelled.');
    orders.child.kill('SIGKILL');
    await once(orders.child, 'exit');
    await customer.done('messageInGroup', { groupId, content: 'Where is it now?' });
    // As if nothing had been acknowledged: everything comes once more.
    await until(async () => !(await service.call('acknowledgeEvents', { consumer: 'orders', cursor })).error);
    orders = run();
    expect(await answer()).to.equal('Order 1001 is cancelled.');
    orders.child.stdin?.write('1001 c-19 paid\n1002 c-19 shipped\n');
    await orders.prints(/1002 shipped/);
    expect(await ask('Thank you')).to.match(/^You can ask/);
    const contents = (await customer.done('getMessages', { groupId, limit: 100 })).data
      .filter(({ kind }: { kind: string }) => kind === 'text')
      .map(({ content }: { content: string }) => content);
    expect(contents).to.deep.equal([
      'Order 1001 is paid.',
      ...['Where is my bicycle?', 'Order 1001 is paid.'],
      ...['Please cancel it', 'Order 1001 is cancelled.'],
      ...['Where is it now?', 'Order 1001 is cancelled.'],
      ...['Thank you', 'You can ask "where is it?", or "cancel" the order.'],
    ]);
    orders.child.kill('SIGTERM');
    expect((await once(orders.child, 'exit'))[0]).to.equal(0);
    await rm(folder, { recursive: true });
  });

  it('include a messenger for the terminal', async () => {
    const [bob] = await newUsers(1);
    const device = await bob.connect();
    const name = `terminal${process.pid}`;
    const { child, prints } = start(process.execPath, ['examples/terminal.js', name], {
      PARLEY_PASSWORD: 'correct horse',
    });
    child.stdin?.write(`nobody-of-that-name: hello\n`);
    await prints(/No user or group is called nobody-of-that-name/);
    child.stdin?.write(`${bob.username}: hello\nand again\n`);
    for (const message of ['hello', 'and again'])
      expect((await device.push('privateMessage')).params).to.include({ message, senderName: name });
    const [person] = (await device.done('searchUsers', { query: name })).data;
    await device.done('privateMessage', { receiverId: person.userId, content: 'hello yourself' });
    await prints(new RegExp(`${bob.username}: hello yourself`));
    child.stdin?.end();
    expect((await once(child, 'exit'))[0]).to.equal(0);
  });

  it('include raw frames for Python', async function () {
    const python = findPython() ?? this.skip();
    await talk((user, to) => start(python, ['examples/chat.py', user.username, user.password, to, 'Hello']));
  });

  it('include raw frames for Go', async function () {
    await useGo(this, async (build) => {
      const built = build('examples/chat.go');
      await talk((user, to) => start(built, [user.username, user.password, to, 'Hello']));
    });
  });

  it('of /docs/ for Python run as shown, and the calls of each command compile there', async function () {
    const python = findPython() ?? this.skip();
    const program = await shown('connect.py');
    await start(python, ['-c', program]).prints(/stored as 2/);
    const calls = snippetsIn('Python').map((code) => `    ${code}\n`);
    const whole = program.replace(/^asyncio\.run.*/m, `async def calls(socket):\n${calls.join('')}`);
    execFileSync(python, ['-c', whole]);
  });

  it('of /docs/ for Go run as shown, and the calls of each command compile there', async function () {
    const program = await shown('connect.go');
    await useGo(this, async (build, folder) => {
      const file = join(folder, 'connect.go');
      await writeFile(file, program);
      await start(build(file), []).prints(/stored as 2/);
      const calls = snippetsIn('Go').map((code) => `\t{\n\t\t${code}\n\t\t_, _ = reply, err\n\t}\n`);
      await writeFile(file, `${program}\nfunc calls(socket *websocket.Conn) {\n${calls.join('')}}\n`);
      build(file);
    });
  });

  /** Returns a program of the reference that logs in as a new user. */
  async function shown(name: string): Promise<string> {
    const { username, password } = await newUser();
    const source = await readFile(`docs/site/${name}`, 'utf8');
    return source.replace('"Ada"', `"${username}"`).replace('"correct horse"', `"${password}"`);
  }

  /** Checks that a user of a program can write, receives an answer, and sends nothing twice. */
  async function talk(
    run: (user: { username: string; password: string }, to: string) => Program,
  ): Promise<void> {
    const [ada, bob] = await newUsers(2);
    const client = await bob.connect();
    const program = run(ada, bob.username);
    await program.prints(/stored at seq 1/);
    expect((await client.push('privateMessage')).params).to.include({ message: 'Hello', senderId: ada.id });
    await client.done('privateMessage', { receiverId: ada.id, content: 'Hello yourself' });
    await program.prints(new RegExp(`push privateMessage ${bob.username} Hello yourself`));
  }
});
