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

/** Accounts of a target where the scenario says nothing else. */
const PEOPLE = 1_000;
/** Milliseconds for timers that were due while a target was frozen. */
const AWAKENING = 300;

interface Form {
  /** What runs: the built server of a checkout, or the bare server of this one. */
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodes?: number;
  /** The nodes are connected by NATS, also where there is only one. */
  readonly nats?: boolean;
  /** The database has pg_stat_statements. */
  readonly countsStatements?: boolean;
}

const BARE = 'bench/bare.ts';

/** The servers that are measured. */
const FORMS = {
  parley: {},
  /** Parley that is written to so little that its search index is never far behind. */
  calm: {},
  /** Parley that indexes very many messages: what vacuum has to do then disturbs no other scenario. */
  indexing: {},
  /** Parley with the default limits. */
  limited: { env: { RATE_LIMITS: 'on' } },
  nats: { nats: true },
  twoNodes: { nats: true, nodes: 2 },
  /** Parley with counts of what each statement costs. */
  scale: { countsStatements: true },
  bare: { script: BARE },
  bareSeq: { script: BARE, env: { BARE_SEQ: 'yes' } },
} satisfies Readonly<Record<string, Form>>;

export type Kind = keyof typeof FORMS;

export const isBare = (kind: Kind): boolean => kind === 'bare' || kind === 'bareSeq';
export const needsBroker = (kind: Kind): boolean => 'nats' in FORMS[kind];

/** One or several nodes on a fresh database of their own, with accounts. */
export interface Target {
  readonly nodes: readonly BenchServer[];
  readonly database: BenchDatabase;
  readonly people: readonly Account[];
  /** The port for the client with this number: neighbours are on different nodes where there are several. */
  port(index: number): number;
  usage(): Promise<Usage>;
  /** Stops all its processes without ending them, so that they take nothing from the target that is measured. */
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

/** The bare server takes anybody at their word. */
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
