import 'reflect-metadata';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import { type Model, type ModelCtor, type Repository, Sequelize } from 'sequelize-typescript';
import type { PoolUse } from '../observability/metrics.ts';
import { createSessionClass, type SessionOptions } from './connectionClass.ts';
import { NotConnectedError, repeatable } from './failures.ts';
import { Ban } from './models/Ban.ts';
import { Block } from './models/Block.ts';
import { Chat } from './models/Chat.ts';
import { ChatMember } from './models/ChatMember.ts';
import { Invite } from './models/Invite.ts';
import { Message } from './models/Message.ts';
import { MessageEdit } from './models/MessageEdit.ts';
import { Pin } from './models/Pin.ts';
import { Reaction } from './models/Reaction.ts';
import { Report } from './models/Report.ts';
import { User } from './models/User.ts';
import { OutageLog } from './outages.ts';
import { type ReservedConnection, reserveConnection } from './reserved.ts';
import { type PreparedStatement, selectRows } from './statements.ts';
import { runTransaction } from './transaction.ts';
import { UnpublishedTransactions } from './UnpublishedTransactions.ts';

/** Milliseconds after which a statement, a statement of a read command, or the wait for a connection is cancelled. */
const STATEMENT_TIMEOUT = 15_000;
const READ_TIMEOUT = 5_000;
const CONNECT_TIMEOUT = 5_000;
/** Milliseconds after which an idle connection is closed. A new one has to prepare all its statements again. */
const IDLE_TIMEOUT = 60_000;
/**
 * The statements that store messages find all rows by key. They use one generic plan without scans and hashes: planning
 * takes longer than a small batch, and a plan made for small tables must not scan them when they are large.
 */
const WRITER_SETTINGS = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/** The indexer reads messages in the order of their ids from the index, regardless of statistics. */
const INDEXER_SETTINGS = { ...WRITER_SETTINGS, enable_bitmapscan: 'off', enable_sort: 'off' };

/**
 * The statements of the pools use indexes as well. The plans of prepared statements are cached, and one made for a
 * small table must not scan it when it is large.
 */
const POOL_SETTINGS = { enable_seqscan: 'off' };

/** The models and queries on one pool of connections. */
export interface Queries {
  readonly users: Repository<User>;
  readonly chats: Repository<Chat>;
  readonly members: Repository<ChatMember>;
  readonly messages: Repository<Message>;
  readonly blocks: Repository<Block>;
  readonly bans: Repository<Ban>;
  readonly invites: Repository<Invite>;
  readonly reactions: Repository<Reaction>;
  readonly pins: Repository<Pin>;
  readonly edits: Repository<MessageEdit>;
  readonly reports: Repository<Report>;
  /**
   * Runs a statement that changes no data, with the parameters $1, $2, …, and returns its rows. Frequent statements are
   * declared with `prepared` if they are suitable; in a transaction they run unprepared.
   */
  query<Row extends object>(
    statement: string | PreparedStatement,
    bind: readonly unknown[],
    transaction?: Transaction,
  ): Promise<Row[]>;
  /** Returns the numbers of used and idle connections of the pool, and of queries that wait for one. */
  poolUse(): PoolUse;
}

/**
 * The database. Its own queries and transactions are for everything that must not wait for reads: changes, sessions,
 * admission, readiness. Read commands use `reads`.
 */
export interface Database extends Queries {
  readonly sequelize: Sequelize;
  /** Runs a statement that changes data, with its parameters, and returns its rows, if any. */
  execute<Row extends object>(
    statement: string | PreparedStatement,
    bind: readonly unknown[],
    transaction?: Transaction,
  ): Promise<Row[]>;
  /**
   * Queries on separate connections, which are read-only and cancel statements after five seconds. If reads occupy all
   * of them, only other reads are delayed.
   */
  readonly reads: Queries;
  /** Queries on further connections for reads that may take long, so that they do not delay the others. */
  readonly heavyReads: Queries;
  /** A reserved connection, so that a busy pool never delays the send path. */
  readonly writer: ReservedConnection;
  /** A reserved connection for the search indexer. */
  readonly indexer: ReservedConnection;
  /** Opens a connection outside of the pools, whose statements have no time limit. The caller closes it. */
  dedicated(): Promise<pg.Client>;
  /**
   * Runs `work` in a transaction, which is rolled back if it throws, and repeated after a conflict with another
   * transaction. `committed` is called once after the commit: before this resolves, or later if the connection was lost
   * before the answer and this rejects.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, committed?: (result: T) => void): Promise<T>;
  /** The transactions that have not ended, or whose `committed` was not called yet. */
  readonly unpublished: UnpublishedTransactions;
  close(): Promise<void>;
}

/** Connections of each pool. */
export type PoolSizes = Readonly<Record<'reads' | 'heavyReads' | 'changes', number>>;

/**
 * Divides connections among the pools: half for reads, half of these for heavy reads, and at least one for each pool.
 */
export function poolSizes(poolSize: number): PoolSizes {
  const half = Math.max(1, Math.floor(poolSize / 2));
  const heavyReads = Math.max(1, Math.floor(half / 2));
  return { reads: Math.max(1, half - heavyReads), heavyReads, changes: Math.max(1, poolSize - half) };
}

/**
 * Opens the database at a URL in the form that pg accepts. Connections are opened on first use, and again after they
 * were lost. Outages are logged to `log`.
 */
export function openDatabase(url: string, poolSize: number, log?: Logger): Database {
  // Ids are bigint in PostgreSQL and stay below 2^53, so they are parsed as numbers.
  pg.defaults.parseInt8 = true;

  const outages = new OutageLog(log);
  const session = (name: string, rest: Omit<SessionOptions, 'config' | 'outages'>) =>
    createSessionClass({
      config: {
        connectionString: url,
        application_name: name,
        connectionTimeoutMillis: CONNECT_TIMEOUT,
        keepAlive: true,
      },
      outages,
      ...rest,
    });

  const sizes = poolSizes(poolSize);
  const Changes = session('parley', { statementTimeout: STATEMENT_TIMEOUT, settings: POOL_SETTINGS });
  const reading = { statementTimeout: READ_TIMEOUT, settings: POOL_SETTINGS, isReadOnly: true };
  const Reads = session('parley reads', reading);
  const HeavyReads = session('parley heavy reads', reading);
  const Writer = session('parley writer', { statementTimeout: STATEMENT_TIMEOUT, settings: WRITER_SETTINGS });
  const Indexer = session('parley indexer', {
    statementTimeout: STATEMENT_TIMEOUT,
    settings: INDEXER_SETTINGS,
  });
  const Dedicated = session('parley migration', { statementTimeout: 0 });
  const sequelize = openPool(Changes, sizes.changes);
  const reads = openPool(Reads, sizes.reads);
  const heavyReads = openPool(HeavyReads, sizes.heavyReads);
  const writer = reserveConnection(Writer);
  const indexer = reserveConnection(Indexer);

  const closed = new AbortController();
  const unpublished = new UnpublishedTransactions();
  return {
    ...queriesOn(sequelize),
    execute: (statement, bind, transaction) => selectRows(sequelize, statement, bind, transaction),
    sequelize,
    reads: queriesOn(reads),
    heavyReads: queriesOn(heavyReads),
    writer,
    indexer,
    async dedicated() {
      const client = new Dedicated();
      await client.connect();
      return client;
    },
    transaction: (work, committed = () => {}) =>
      repeatable(() => runTransaction(sequelize, work, committed, closed.signal, unpublished)),
    unpublished,
    async close() {
      closed.abort();
      outages.close();
      const pools = [sequelize, reads, heavyReads].map(closePool);
      await Promise.all([...pools, writer.close(), indexer.close()]);
    },
  };
}

/**
 * Disables the settings that Sequelize makes, because the connections make them. The second one is missing in its
 * types.
 */
const NO_SETTINGS = {
  standardConformingStrings: false,
  keepDefaultTimezone: true,
  dialectOptions: { clientMinMessages: 'ignore' },
};

const MODELS = [User, Chat, ChatMember, Message, Block, Ban, Invite, Reaction, Pin, MessageEdit, Report];

function openPool(Client: ReturnType<typeof createSessionClass>, size: number): Sequelize {
  const sequelize = new Sequelize({
    dialect: 'postgres',
    dialectModule: { Client, types: pg.types }, // address and user are in the class
    logging: false,
    repositoryMode: true,
    define: { underscored: true, timestamps: false },
    pool: { max: size, min: 0, acquire: CONNECT_TIMEOUT, idle: IDLE_TIMEOUT },
    ...NO_SETTINGS,
  });
  // The schema has no types of its own, whose numbers each pool would look up with a slow statement.
  Object.assign(sequelize.connectionManager, { _refreshDynamicOIDs: async () => {} });
  return sequelize;
}

/** Closes a pool. Later requests for a connection are rejected as if the database were unavailable. */
async function closePool(sequelize: Sequelize): Promise<void> {
  const closing = sequelize.close();
  const closed = new NotConnectedError(new Error('the pool is closed'));
  sequelize.connectionManager.getConnection = () => Promise.reject(closed);
  await closing;
}

/** The models are added to a pool with their first use: that takes as long as opening a connection. */
function queriesOn(sequelize: Sequelize): Queries {
  let hasModels = false;
  const repository = <M extends Model>(model: ModelCtor<M>): Repository<M> => {
    if (!hasModels) sequelize.addModels(MODELS);
    hasModels = true;
    return sequelize.getRepository(model);
  };
  return {
    get users() {
      return repository(User);
    },
    get chats() {
      return repository(Chat);
    },
    get members() {
      return repository(ChatMember);
    },
    get messages() {
      return repository(Message);
    },
    get blocks() {
      return repository(Block);
    },
    get bans() {
      return repository(Ban);
    },
    get invites() {
      return repository(Invite);
    },
    get reactions() {
      return repository(Reaction);
    },
    get pins() {
      return repository(Pin);
    },
    get edits() {
      return repository(MessageEdit);
    },
    get reports() {
      return repository(Report);
    },
    query: (statement, bind, transaction) => selectRows(sequelize, statement, bind, transaction),
    poolUse() {
      const { using, available, waiting } = (sequelize.connectionManager as unknown as { pool: Pool }).pool;
      return { used: using, free: available, waiting };
    },
  };
}

/** Counters of sequelize-pool, missing in the types of Sequelize. */
interface Pool {
  readonly using: number;
  readonly available: number;
  readonly waiting: number;
}
