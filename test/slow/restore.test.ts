import { execFileSync } from 'node:child_process';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import { connectAs, freePort, newUser, temporaryFolder, typedClient, type User } from '../support/harness.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

describe('a database that was restored to an earlier time', function () {
  this.timeout(300_000);
  let folder: string;
  let env: Record<string, string>;
  let running: ServerProcess | undefined;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await chmod(folder, 0o755); // the user of the embedded database passes through
    env = { DATA_DIR: join(folder, 'data'), PORT: String(await freePort()) };
  });
  afterEach(async () => {
    await running?.stop('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  const start = async () => {
    running = await startProcess(env);
    return running;
  };
  const copy = (from: string, to: string) => execFileSync('cp', ['-a', join(folder, from), join(folder, to)]);
  const write = async (from: Client, to: User, texts: string[]) => {
    for (const content of texts) await from.done('privateMessage', { receiverId: to.id, content });
  };
  const texts = (what: string, count: number) => Array.from({ length: count }, (_, n) => `${what} ${n}`);
  const now = async (client: Client): Promise<string> =>
    (await client.done('sync', { fromNow: true })).nextCursor;
  const synced = async (client: Client, cursor: string): Promise<string[]> => {
    const { data, more } = await client.done('sync', { cursor, limit: 1000 });
    expect(more).to.equal(false);
    return data.flatMap(({ kind, message }: Frame) => (kind === 'message' ? [message.content] : []));
  };

  it('hides nothing from a cursor of the lost time, and continues from one of the time before', async () => {
    const { url, stop } = await start();
    const [ada, bob] = [await newUser(url), await newUser(url)];
    const people = () => Promise.all([ada, bob].map(({ token }) => connectAs(token, url)));
    let [a, b] = (await people()) as [Client, Client];
    await write(a, bob, texts('old', 10));
    const before = await now(b);
    await write(a, bob, texts('kept', 5));
    await stop('SIGTERM');
    copy('data', 'copy');

    const second = await start();
    [a, b] = (await people()) as [Client, Client];
    expect(await synced(b, before)).to.deep.equal(texts('kept', 5)); // a restart alone loses nothing
    await write(a, bob, texts('lost', 30));
    const after = await now(b);
    const client = typedClient(bob, { url });
    await client.online();
    const pushed: (string | null)[] = [];
    client.on('privateMessage', ({ message }) => pushed.push(message));
    await write(a, bob, texts('lost, too', 3));
    await until(() => pushed.length === 3);
    await second.stop('SIGTERM');

    await rm(join(folder, 'data'), { recursive: true });
    copy('copy', 'data');
    await start();
    [a, b] = (await people()) as [Client, Client];
    await client.online();
    await write(a, bob, texts('new', 21)); // in transactions whose ids were used before
    expect(await synced(b, after)).to.deep.equal([
      ...texts('old', 10),
      ...texts('kept', 5),
      ...texts('new', 21),
    ]);
    expect(await synced(b, before)).to.deep.equal([...texts('kept', 5), ...texts('new', 21)]);
    expect(await synced(b, await now(b))).to.deep.equal([]);
    await until(() => pushed.length === 24);
    expect(pushed.slice(3)).to.deep.equal(texts('new', 21));
  });
});
