import { databaseUrl, freePort, JWT_SECRET, type RunningServer, startServer } from '../../support/harness.ts';
import { type NatsServer, natsServer } from '../../support/nats.ts';
import { startProcess } from '../../support/process.ts';
import { type Relay, startRelay } from '../../support/relay.ts';
import { pause } from '../../support/until.ts';

/** The nodes that worlds share, each at a fixed address, and their faults. */
export interface Site {
  readonly name: string;
  readonly urls: readonly [string, ...string[]];
  /** Counts the faults of the nodes. */
  readonly disturbances: number;
  /** When the other nodes had found the unpublished messages of a killed node, in milliseconds since the epoch. */
  readonly repairedBy: number;
  /** Stops a node and starts it again; the second of two nodes is killed. Resolves when it is back. */
  restart(node: number): Promise<void>;
  /** Cuts the second node off from NATS for some milliseconds. */
  cutNats(milliseconds: number): Promise<void>;
  /** Resolves when there is no fault. */
  whole(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds in which a node compares its connections with the database once, and the clients receive the result. */
const RECONCILED_WITHIN = 75_000;

interface Node {
  start(): Promise<void>;
  /** Kills the process without a warning. */
  stop(): Promise<void>;
}

/** One node in this process. */
export async function startOneNode(): Promise<Site> {
  const [node, url] = await nodeHere({});
  await node.start();
  return createSite('one node', [url], [node], undefined, () => node.stop());
}

/** Two nodes on NATS, the second in a process of its own; undefined when `nats-server` is not installed. */
export async function startTwoNodes(): Promise<Site | undefined> {
  const nats: NatsServer | undefined = await natsServer();
  if (!nats) return undefined;
  await nats.start();
  const toNats = await startRelay(nats.url);
  const [[here, first], [apart, second]] = await Promise.all([
    nodeHere({ NATS_URL: nats.url }),
    nodeApart({ NATS_URL: toNats.url }),
  ]);
  await Promise.all([here.start(), apart.start()]);
  return createSite('two nodes', [first, second], [here, apart], toNats, async () => {
    await Promise.all([here.stop(), apart.stop()]);
    await toNats.cut();
    await nats.stop();
  });
}

async function nodeHere(env: Record<string, string>): Promise<readonly [Node, string]> {
  const PORT = `${await freePort()}`;
  let server: RunningServer | undefined;
  const node = {
    async start() {
      server = await startServer({ ...env, PORT });
    },
    async stop() {
      await server?.close();
      server = undefined;
    },
  };
  return [node, `http://127.0.0.1:${PORT}`];
}

async function nodeApart(env: Record<string, string>): Promise<readonly [Node, string]> {
  const PORT = `${await freePort()}`;
  let stop = async (): Promise<unknown> => undefined;
  const node = {
    async start() {
      const server = await startProcess({ DATABASE_URL: databaseUrl(), JWT_SECRET, PORT, ...env });
      stop = () => server.stop('SIGKILL');
    },
    async stop() {
      await stop();
    },
  };
  return [node, `http://127.0.0.1:${PORT}`];
}

function createSite(
  name: string,
  urls: Site['urls'],
  nodes: readonly Node[],
  nats: Relay | undefined,
  close: () => Promise<void>,
): Site {
  const under = new Map<string, Promise<void>>();
  let disturbances = 0;
  let repairedBy = 0;

  /** Several worlds may request the same fault at a time, which then happens once. */
  const once = (what: string, happen: () => Promise<void>): Promise<void> => {
    const going = under.get(what);
    if (going) return going;
    disturbances++;
    const happening = happen().finally(() => {
      disturbances++;
      under.delete(what);
    });
    under.set(what, happening);
    return happening;
  };

  return {
    name,
    urls,
    get disturbances() {
      return disturbances;
    },
    get repairedBy() {
      return repairedBy;
    },
    restart(index) {
      const node = nodes[index % nodes.length] as Node;
      return once(`node ${index % nodes.length}`, async () => {
        await node.stop();
        if (index % nodes.length > 0) repairedBy = Date.now() + RECONCILED_WITHIN;
        await node.start();
      });
    },
    async cutNats(milliseconds) {
      await once('nats', async () => {
        await nats?.cut();
        await pause(milliseconds);
        await nats?.restore();
      });
    },
    async whole() {
      while (under.size > 0) await Promise.all(under.values());
    },
    async close() {
      await this.whole();
      await close();
    },
  };
}
