import 'reflect-metadata';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import { type Repository, Sequelize } from 'sequelize-typescript';
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
import { createSessionClass, type SessionOptions } from './session.ts';
import { type PreparedStatement, selectRows } from './statements.ts';
import { runTransaction } from './transaction.ts';

/** Milliseconds after which a statement, one of a command that only reads, or the wait for a connection gives up. */
const STATEMENT_TIMEOUT = 15_000;
const READ_TIMEOUT = 5_000;
const CONNECT_TIMEOUT = 5_000;
/** Milliseconds for which a connection stays that nobody needs: on a new one, everything is prepared again. */
const IDLE_TIMEOUT = 60_000;
/**
 * The statements that store messages find everything by key. One plan for many batches, without scans and hashes:
 * planning takes longer than a small batch, and a plan made while the tables were small must not scan them once they are
 * large.
 */
const WRITER_SETTINGS = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/** The indexer takes the next messages by the order of their ids, however many there are and whatever the statistics say. */
const INDEXER_SETTINGS = { ...WRITER_SETTINGS, enable_bitmapscan: 'off', enable_sort: 'off' };

/**
 * The statements of the pools find everything by an index as well. The plans of those that are prepared are kept: one
 * that was made while a table was small must not scan it once it is large.
 */
const POOL_SETTINGS = { enable_seqscan: 'off' };

/** The models and statements, on one pool of connections. */
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
   * Returns the rows of a statement that changes no data, with its parameters bound as $1, $2, …. One that is run often
   * is declared by `prepared`, if it is fit for it; in a transaction none is.
   */
  query<Row extends object>(
    statement: string | PreparedStatement,
    bind: readonly unknown[],
    transaction?: Transaction,
  ): Promise<Row[]>;
  /** Connections of the pool: in use, at rest, and queries that wait for one. */
  poolUse(): PoolUse;
}

export interface PoolUse {
  readonly used: number;
  readonly free: number;
  readonly waiting: number;
}

/**
 * The database. Its own queries and transactions are those of everything that must not wait for reads: changes,
 * sessions, admission, readiness. What commands only read goes over `reads`.
 */
export interface Database extends Queries {
  readonly sequelize: Sequelize;
  /** Runs a statement that changes data, with its parameters bound, and returns its rows, if it has any. */
  execute<Row extends object>(
    statement: string | PreparedStatement,
    bind: readonly unknown[],
    transaction?: Transaction,
  ): Promise<Row[]>;
  /**
   * The same on connections of their own, which refuse to write and cancel a statement after five seconds: reads that
   * occupy all of them delay each other and nothing else.
   */
  readonly reads: Queries;
  /** The same once more for reads that may take long: they delay no others. */
  readonly heavyReads: Queries;
  /** One reserved connection: a busy pool never holds up the send path. */
  readonly writer: ReservedConnection;
  /** Another one, for the search indexer. */
  readonly indexer: ReservedConnection;
  /** Opens a connection beside the pools, whose statements may take long. The caller ends it. */
  dedicated(): Promise<pg.Client>;
  /**
   * Runs `work` in a transaction; rolled back when it throws, and run again where only another one was in its way.
   * `committed` is called once when it was committed: before this resolves, or later where the database was lost before
   * it answered and this rejects.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, committed?: (result: T) => void): Promise<T>;
  close(): Promise<void>;
}

/** Connections of each pool. */
export type PoolSizes = Readonly<Record<'reads' | 'heavyReads' | 'changes', number>>;

/** Divides so many connections: a half for reads, and of it a half for heavy ones, at least one for each. */
export function poolSizes(poolSize: number): PoolSizes {
  const half = Math.max(1, Math.floor(poolSize / 2));
  const heavyReads = Math.max(1, Math.floor(half / 2));
  return { reads: Math.max(1, half - heavyReads), heavyReads, changes: Math.max(1, poolSize - half) };
}

/**
 * Opens the database, at a URL as pg takes it. Connections are made on first use, and again after they were lost; `log`
 * has when the database goes away and comes back.
 */
export function openDatabase(url: string, poolSize: number, log?: Logger): Database {
  // Ids are bigint in PostgreSQL and stay below 2^53: numbers, not strings.
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
      repeatable(() => runTransaction(sequelize, work, committed, closed.signal)),
    async close() {
      closed.abort();
      outages.close();
      const pools = [sequelize, reads, heavyReads].map(closePool);
      await Promise.all([...pools, writer.close(), indexer.close()]);
    },
  };
}

/** The settings that Sequelize would make are among those of the connections; the second one is not in its types. */
const NO_SETTINGS = {
  standardConformingStrings: false,
  keepDefaultTimezone: true,
  dialectOptions: { clientMinMessages: 'ignore' },
};

function openPool(Client: ReturnType<typeof createSessionClass>, size: number): Sequelize {
  return new Sequelize({
    dialect: 'postgres',
    dialectModule: { Client, types: pg.types }, // where and as whom is in the class
    logging: false,
    repositoryMode: true,
    models: [User, Chat, ChatMember, Message, Block, Ban, Invite, Reaction, Pin, MessageEdit, Report],
    define: { underscored: true, timestamps: false },
    pool: { max: size, min: 0, acquire: CONNECT_TIMEOUT, idle: IDLE_TIMEOUT },
    ...NO_SETTINGS,
  });
}

/** Closes a pool. Who asks for a connection later finds the database away. */
async function closePool(sequelize: Sequelize): Promise<void> {
  const closing = sequelize.close();
  const closed = new NotConnectedError(new Error('the pool is closed'));
  sequelize.connectionManager.getConnection = () => Promise.reject(closed);
  await closing;
}

function queriesOn(sequelize: Sequelize): Queries {
  return {
    users: sequelize.getRepository(User),
    chats: sequelize.getRepository(Chat),
    members: sequelize.getRepository(ChatMember),
    messages: sequelize.getRepository(Message),
    blocks: sequelize.getRepository(Block),
    bans: sequelize.getRepository(Ban),
    invites: sequelize.getRepository(Invite),
    reactions: sequelize.getRepository(Reaction),
    pins: sequelize.getRepository(Pin),
    edits: sequelize.getRepository(MessageEdit),
    reports: sequelize.getRepository(Report),
    query: (statement, bind, transaction) => selectRows(sequelize, statement, bind, transaction),
    poolUse() {
      const { using, available, waiting } = (sequelize.connectionManager as unknown as { pool: Pool }).pool;
      return { used: using, free: available, waiting };
    },
  };
}

/** What sequelize-pool counts, and the types of Sequelize do not show. */
interface Pool {
  readonly using: number;
  readonly available: number;
  readonly waiting: number;
}
