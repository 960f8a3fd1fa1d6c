import { readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { makeCertificate } from '../support/certificate.ts';
import { type Client, open, Refused } from '../support/client.ts';
import { type Balancer, readDocumented, readShipped, startBalancer } from '../support/haproxy.ts';
import {
  freePort,
  http,
  metric,
  newUser,
  type RunningServer,
  startServer,
  temporaryFolder,
  type User,
} from '../support/harness.ts';
import { isInstalled } from '../support/installed.ts';
import { type NatsServer, natsServer } from '../support/nats.ts';
import { until } from '../support/until.ts';

/** Headers with which a client may forge its address, each in one line or several. */
const FORGERIES: readonly Record<string, string | string[]>[] = [
  { 'x-forwarded-for': '203.0.113.1' },
  { 'x-forwarded-for': ['203.0.113.2', '203.0.113.3'] },
  { 'X-FORWARDED-FOR': '203.0.113.4, 127.0.0.1' },
  { forwarded: 'for=203.0.113.5', 'x-real-ip': '203.0.113.5' },
];

describe('the HAProxy of docs/operations.md', () => {
  it('is that of docker-compose.yml except for the addresses', async () => {
    const { configuration } = await readShipped();
    const lines = configuration.split('\n').map((line) => line.trim());
    const [documented = ''] = await readDocumented();
    const others = documented
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => !/^(bind|server) |^$/.test(line));
    expect(others).to.have.length.at.least(9);
    expect(lines).to.include.members(others);
  });
});

describe('two nodes behind the HAProxy of docker-compose.yml', function () {
  this.timeout(180_000);
  let nats: NatsServer;
  let balancer: Balancer;
  let folder: string;
  let nodes: RunningServer[] = [];
  const clients: Client[] = [];

  before(async function () {
    const server = isInstalled('haproxy', '-v') ? await natsServer() : undefined;
    if (!server) {
      console.log('      skipped: there is no haproxy, or no nats-server, here');
      return this.skip();
    }
    nats = server;
    await nats.start();
    folder = await temporaryFolder();
    const { configuration, environment } = await readShipped();
    expect(environment).to.include({ TRUST_PROXY: 'uniquelocal' });
    const env = {
      NATS_URL: nats.url,
      DRAIN_SECONDS: String(environment.DRAIN_SECONDS),
      // The address of the balancer; clients connect from other addresses of the loopback network.
      TRUST_PROXY: '127.0.0.1',
      RATE_LIMITS: 'on',
      CONNECTIONS_PER_ADDRESS: '3',
      LOGIN_FAILURES_PER_ADDRESS: '4',
    };
    nodes = await Promise.all([1, 2].map(() => startServer(env)));
    const [one, two] = nodes as [RunningServer, RunningServer];
    balancer = await startBalancer(configuration, { 'node-1': one.port, 'node-2': two.port }, folder);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await connections(0);
  });
  after(async () => {
    await balancer?.stop();
    await Promise.all(nodes.map((node) => node.close()));
    await nats?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Opens a WebSocket through the balancer, from an address of this machine. */
  async function connectFrom(
    localAddress: string,
    { token }: User,
    headers = {},
    device = '',
  ): Promise<Client> {
    const all = { authorization: `Bearer ${token}`, ...headers };
    const url = `ws://127.0.0.1:${balancer.port}/?device=${device}`;
    const client = await open(new WebSocket(url, { headers: all, localAddress }));
    clients.push(client);
    return client;
  }

  /** Returns the status of a refused upgrade; 101 for a successful one. */
  const upgradeFrom = (localAddress: string, user: User, headers = {}): Promise<number> =>
    connectFrom(localAddress, user, headers).then(
      () => 101,
      (error) => (error instanceof Refused ? error.status : 0),
    );

  const wrongLoginFrom = (localAddress: string, headers: Record<string, string | string[]>) =>
    new Promise<number>((resolve, reject) => {
      const { port } = balancer;
      const options = { host: '127.0.0.1', port, path: '/auth/login', method: 'POST', localAddress, headers };
      request(options, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      })
        .on('error', reject)
        .end(JSON.stringify({ username: 'nobody', password: 'wrong' }));
    });

  it('deliver messages between users on different nodes', async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const [a, b] = [await connectFrom('127.0.0.2', ada), await connectFrom('127.0.0.3', bob)];
    // the one with the fewest connections is next
    for (const node of nodes) expect(await metric(node, 'parley_connections')).to.equal(1);
    await a.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    expect((await b.push('privateMessage')).params.message).to.equal('Hi');
  });

  it('are reached over TLS with the line of docs/operations.md', async () => {
    const own = await temporaryFolder();
    const { cert, key } = makeCertificate(own);
    const both = join(own, 'both.pem');
    await writeFile(both, (await Promise.all([cert, key].map((file) => readFile(file)))).join(''));
    const [, bind = ''] = await readDocumented();
    const port = await freePort();
    const line = bind.replace(':443', `127.0.0.1:${port}`).replace(/crt \S+/, `crt ${both}`);
    const { configuration } = await readShipped();
    const [one, two] = nodes as [RunningServer, RunningServer];
    const secure = await startBalancer(
      configuration.replace('bind :3000\n', (plain) => plain + line),
      { 'node-1': one.port, 'node-2': two.port },
      own,
    );
    const { token } = await newUser();
    const socket = new WebSocket(`wss://127.0.0.1:${port}/?token=${token}`, { ca: await readFile(cert) });
    const client = await open(socket);
    await client.done('ping');
    await client.close();
    await secure.stop();
    await rm(own, { recursive: true, force: true });
  });

  it('see the address of the client, whatever headers it sends', async () => {
    const ada = await newUser();
    const client = await connectFrom('127.0.0.4', ada);
    expect((await client.done('listSessions')).data[0].address).to.equal('127.0.0.4');
    for (const [index, headers] of FORGERIES.entries()) {
      const other = await connectFrom('127.0.0.5', ada, headers, `forgery-${index}`);
      await other.done('listSessions'); // the session is recorded by now
      const { data } = await client.done('listSessions');
      const row = data.find(({ device }: { device: string }) => device === `forgery-${index}`);
      expect(row.address, JSON.stringify(headers)).to.equal('127.0.0.5');
      await other.close();
      await connections(1);
    }
  });

  it('apply the limits per address, whatever headers the client sends', async () => {
    const users = await Promise.all([1, 2, 3].map(() => newUser()));
    const statuses: number[] = [];
    for (let n = 0; n < 8; n++)
      statuses.push(await wrongLoginFrom('127.0.0.6', FORGERIES[n % FORGERIES.length] ?? {}));
    expect(statuses).to.deep.equal([...Array(4).fill(401), ...Array(4).fill(429)]);
    expect(await wrongLoginFrom('127.0.0.7', {})).to.equal(401);

    // three on each node
    const upgrades: number[] = [];
    for (let n = 0; n < 8; n++)
      upgrades.push(
        await upgradeFrom('127.0.0.6', users[n % 3] as User, FORGERIES[n % FORGERIES.length] ?? {}),
      );
    expect(upgrades).to.deep.equal([...Array(6).fill(101), 429, 429]);
    expect(await upgradeFrom('127.0.0.7', users[0] as User)).to.equal(101);
  });

  it('receive no new clients once they are stopping, while the other node continues', async () => {
    const [leaving, staying] = nodes as [RunningServer, RunningServer];
    const users = await Promise.all([1, 2].map(() => newUser()));
    const [a, b] = [
      await connectFrom('127.0.0.8', users[0] as User),
      await connectFrom('127.0.0.8', users[1] as User),
    ];
    expect(await metric(leaving, 'parley_connections')).to.equal(1);
    const closed = leaving.close();
    await until(async () => (await balancer.nodes()).get('node-1')?.status.startsWith('DOWN') ?? false);
    expect((await balancer.nodes()).get('node-2')?.status).to.equal('UP');
    const code = await Promise.race([a.closed, b.closed]);
    expect(code).to.equal(1012);

    for (let n = 0; n < 5; n++) {
      const address = `127.0.0.${20 + n}`;
      expect(await upgradeFrom(address, users[n % 2] as User)).to.equal(101);
      expect((await http('GET', '/health/ready', { url: balancer.url })).status).to.equal(200);
    }
    expect(await metric(staying, 'parley_connections')).to.equal(6);
    await closed;
    nodes = [staying];
  });

  /** Resolves once a number of connections is left, by the nodes and the balancer. */
  async function connections(expected: number): Promise<void> {
    await until(async () => {
      const counts = await Promise.all(nodes.map((node) => metric(node, 'parley_connections')));
      const balanced = [...(await balancer.nodes()).values()].map((node) => node.connections);
      return [counts, balanced].every((all) => all.reduce((sum, count) => sum + count, 0) === expected);
    });
  }
});
