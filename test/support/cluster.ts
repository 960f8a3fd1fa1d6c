import type { Client } from './client.ts';
import {
  database,
  databaseUrl,
  JWT_SECRET,
  metric,
  type RunningServer,
  startServer,
  type User,
} from './harness.ts';
import { type NatsServer, natsServer } from './nats.ts';
import { type ServerProcess, startProcess } from './process.ts';
import { type Relay, startRelay } from './relay.ts';
import { until } from './until.ts';

/** A node that reaches NATS and the database through relays of its own. */
export interface IsolatedNode extends RunningServer {
  readonly toNats: Relay;
  readonly toDatabase: Relay;
  /** Cuts the node off NATS; resolves when it knows. */
  cutOff(): Promise<void>;
  /** Lets it connect to NATS again; resolves when it has. */
  reconnect(): Promise<void>;
  /** Ends all faults. */
  reset(): Promise<void>;
}

/** NATS and the nodes that the tests of a suite share, and those that a test starts for itself. */
export class Cluster {
  #nats: NatsServer | undefined;
  #nodes: readonly RunningServer[] = [];
  #isolated: IsolatedNode | undefined;
  /** Ends what the present test has started. */
  #endings: (() => Promise<unknown>)[] = [];

  get nats(): NatsServer {
    if (!this.#nats) throw new Error('NATS is not started');
    return this.#nats;
  }

  /** The last node, which has relays. */
  get isolated(): IsolatedNode {
    if (!this.#isolated) throw new Error('the node is not started');
    return this.#isolated;
  }

  node(index: number): RunningServer {
    const node = this.#nodes[index];
    if (!node) throw new Error(`there is no node ${index}`);
    return node;
  }

  url(index: number): string {
    return this.node(index).url;
  }

  /** Connects a user to a node. */
  on(user: User, index: number): Promise<Client> {
    return user.connect(this.url(index));
  }

  async start(nats: NatsServer, count: number): Promise<void> {
    this.#nats = nats;
    const env = { NATS_URL: nats.url };
    const nodes = Array.from({ length: count }, () => startServer(env));
    const [isolated, ...others] = await Promise.all([startIsolated(nats), ...nodes]);
    this.#isolated = isolated;
    this.#nodes = [...others, isolated];
    await Promise.all(this.#nodes.map((node) => natsIsConnected(node)));
  }

  /** Starts a node with relays for the present test. */
  async startIsolated(): Promise<IsolatedNode> {
    const node = await startIsolated(this.nats);
    this.#endings.push(() => node.close());
    await natsIsConnected(node);
    return node;
  }

  /**
   * Starts a node in a process of its own, which is killed after the present test at the latest. Its death does not
   * disturb the tests that follow.
   */
  async startProcess(env: Record<string, string> = {}): Promise<ServerProcess> {
    const all = { DATABASE_URL: databaseUrl(), JWT_SECRET, NATS_URL: this.nats.url, ...env };
    const others = await nodeIds();
    const node = await startProcess(all);
    const started = (await nodeIds()).filter((id) => !others.includes(id));
    this.#endings.push(async () => {
      await node.stop('SIGKILL');
      await database.execute('delete from nodes where id = any ($1::uuid[])', [started]);
    });
    await natsIsConnected(node);
    return node;
  }

  async endTest(): Promise<void> {
    await Promise.all(this.#endings.splice(0).map((end) => end()));
    await this.#nats?.start(); // unless it runs
    await this.#isolated?.reset();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.close()));
    await this.#nats?.stop();
  }
}

/**
 * Starts so many nodes before the tests of a suite, and one more with relays, and stops them after; the suite is skipped
 * where there is no NATS.
 */
export function useCluster(count: number): Cluster {
  const cluster = new Cluster();
  before(async function () {
    await cluster.start(await startNatsOrSkip(this), count);
  });
  afterEach(() => cluster.endTest());
  after(() => cluster.stop());
  return cluster;
}

/** Returns the nodes on the shared database. */
async function nodeIds(): Promise<string[]> {
  const rows = await database.query<{ id: string }>('select id from nodes', []);
  return rows.map(({ id }) => id);
}

async function startIsolated(nats: NatsServer): Promise<IsolatedNode> {
  const [toNats, toDatabase] = await Promise.all([startRelay(nats.url), startRelay(databaseUrl())]);
  const server = await startServer({ NATS_URL: toNats.url, DATABASE_URL: toDatabase.url });
  return {
    ...{ ...server, toNats, toDatabase },
    async cutOff() {
      await toNats.cut();
      await natsIsConnected(server, false);
    },
    async reconnect() {
      await toNats.restore();
      await natsIsConnected(server);
    },
    async reset() {
      await Promise.all([toNats.reset(), toDatabase.reset()]);
      await natsIsConnected(server);
    },
    async close() {
      await server.close();
      await Promise.all([toNats, toDatabase].map((relay) => relay.cut()));
    },
  };
}

/** Starts a NATS server, or skips the tests where `nats-server` is not installed. */
export async function startNatsOrSkip(hook: Mocha.Context, ...args: string[]): Promise<NatsServer> {
  const nats = await natsServer(...args);
  if (!nats) {
    console.log('      skipped: there is no nats-server here');
    return hook.skip();
  }
  await nats.start();
  return nats;
}

/** Resolves when a node is connected to NATS, or knows that it is not. */
export const natsIsConnected = (node: Pick<RunningServer, 'url'>, is = true): Promise<void> =>
  until(async () => (await metric(node, 'parley_nats_connected')) === Number(is));
