import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Account, BENCH_SECRET, makeAccounts } from './accounts.ts';
import { type Broker, startBroker } from './broker.ts';
import { atEnd } from './cleanup.ts';
import { type BenchDatabase, startDatabase } from './database.ts';
import { pause } from './load.ts';
import { type BenchServer, startServer } from './server.ts';
import type { Usage } from './usage.ts';

/** The checkout that this file belongs to. */
export const HERE = fileURLToPath(new URL('..', import.meta.url));

/** Default number of accounts of a target. */
const PEOPLE = 1_000;
/** Milliseconds for timers that became due while a target was frozen. */
const AWAKENING = 300;

interface Form {
  /** The script: the built server of a checkout, or the bare server of this one. */
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodes?: number;
  /** True if the nodes are connected by NATS, even a single one. */
  readonly nats?: boolean;
  /** True if the database has pg_stat_statements. */
  readonly countsStatements?: boolean;
}

const BARE = 'bench/bare.ts';

/** The measured servers. */
const FORMS = {
  parley: {},
  /** Parley with so few messages that its search index is never far behind. */
  calm: {},
  /** Parley that indexes very many messages, so that the vacuum after it affects no other scenario. */
  indexing: {},
  /** Parley with the default limits. */
  limited: { env: { RATE_LIMITS: 'on' } },
  nats: { nats: true },
  twoNodes: { nats: true, nodes: 2 },
  /** Parley with a backend that receives all events. */
  consumed: {},
  /** Parley with statistics of statements. */
  scale: { countsStatements: true },
  bare: { script: BARE },
  bareSeq: { script: BARE, env: { BARE_SEQ: 'yes' } },
} satisfies Readonly<Record<string, Form>>;

export type Kind = keyof typeof FORMS;

export const isBare = (kind: Kind): boolean => kind === 'bare' || kind === 'bareSeq';
export const needsBroker = (kind: Kind): boolean => 'nats' in FORMS[kind];

/** One or several nodes on a fresh database with accounts. */
export interface Target {
  readonly nodes: readonly BenchServer[];
  readonly database: BenchDatabase;
  readonly people: readonly Account[];
  /** Returns the port for the client with an index; with several nodes, neighbours are on different ones. */
  port(index: number): number;
  usage(): Promise<Usage>;
  /** Suspends all its processes, so that they take no resources from the measured target. */
  freeze(): void;
  thaw(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a target of a kind, from the build in a checkout. */
export async function startTarget(kind: Kind, checkout: string = HERE, count = PEOPLE): Promise<Target> {
  const {
    script = 'dist/main.js',
    env,
    nodes: nodeCount = 1,
    nats = false,
    countsStatements = false,
  }: Form = FORMS[kind];
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  const removeFolder = atEnd(() => rm(folder, { recursive: true, force: true }));
  const database = await startDatabase(folder, countsStatements);
  const broker = nats ? await startBroker() : undefined;
  const nodes: BenchServer[] = [];
  while (nodes.length < nodeCount)
    nodes.push(
      await startServer(isBare(kind) ? HERE : checkout, script, {
        DATA_DIR: join(folder, `node-${nodes.length}`),
        DATABASE_URL: database.url,
        JWT_SECRET: BENCH_SECRET,
        ...(broker && { NATS_URL: broker.url }),
        ...env,
      }),
    );
  const [first] = nodes as [BenchServer];
  const people =
    isBare(kind) || count === 0 ? numbered(count) : await makeAccounts(first.port, database.client, count);
  if (broker) await pause(1000); // until the nodes know each other
  const parts = [...nodes, ...(broker ? [broker] : []), database];
  const thaw = () => {
    for (const part of parts.toReversed()) part.thaw();
  };
  const stop = atEnd(async () => {
    thaw(); // a node does not end while its database is frozen
    for (const part of parts) await part.stop();
    await removeFolder();
  });
  return {
    nodes,
    database,
    people,
    port: (index) => (nodes[index % nodeCount] as BenchServer).port,
    usage: () => usageOf(nodes, database, broker),
    freeze() {
      for (const part of parts) part.freeze();
    },
    async thaw() {
      thaw();
      await pause(AWAKENING);
    },
    stop,
  };
}

/** Returns accounts for the bare server, which does not verify tokens. */
const numbered = (count: number): Account[] =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, token: String(n + 1) }));

async function usageOf(
  nodes: readonly BenchServer[],
  database: BenchDatabase,
  broker: Broker | undefined,
): Promise<Usage> {
  const wal = await database.walBytes();
  return {
    server: nodes.reduce((total, node) => total + node.processorTime(), 0),
    database: database.processorTime(),
    broker: broker?.processorTime() ?? 0,
    wal,
  };
}
