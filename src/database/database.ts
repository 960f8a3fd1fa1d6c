import 'reflect-metadata';
import pg from 'pg';
import { QueryTypes, type Transaction } from 'sequelize';
import { type Repository, Sequelize } from 'sequelize-typescript';
import { repeatable } from './failures.ts';
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
import { type ReservedConnection, reserveConnection } from './reserved.ts';
import { runTransaction } from './transaction.ts';

/** Milliseconds after which a statement, one of a command that only reads, or the wait for a connection gives up. */
const STATEMENT_TIMEOUT = 15_000;
const READ_TIMEOUT = 5_000;
const CONNECT_TIMEOUT = 5_000;
/** Milliseconds after which a statement that the server should have cancelled is given up by this side. */
const SILENCE = 2_000;

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
  /** The rows of a statement with its parameters bound as $1, $2, …. */
  select<Row extends object>(
    sql: string,
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
  /**
   * The same on connections of their own, which refuse to write and cancel a statement after five seconds: reads that
   * occupy all of them delay each other and nothing else.
   */
  readonly reads: Queries;
  /** One reserved connection: a busy pool never holds up the send path. */
  readonly writer: ReservedConnection;
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

/** How a pool of so many connections is divided between reads and everything else. */
export function poolSizes(poolSize: number): { reads: number; changes: number } {
  const reads = Math.max(1, Math.floor(poolSize / 2));
  return { reads, changes: Math.max(1, poolSize - reads) };
}

/** Opens the database. Connections are made on first use, and again after they were lost. */
export function openDatabase(url: string, poolSize: number): Database {
  // Ids are bigint in PostgreSQL and stay below 2^53: numbers, not strings.
  pg.defaults.parseInt8 = true;

  const sizes = poolSizes(poolSize);
  const sequelize = openPool(url, sizes.changes, {
    ...timeouts(STATEMENT_TIMEOUT),
    application_name: 'parley',
  });
  const reading = openPool(url, sizes.reads, {
    ...timeouts(READ_TIMEOUT),
    application_name: 'parley reads',
    options: '-c default_transaction_read_only=on',
  });
  const writer = reserveConnection({
    connectionString: url,
    ...timeouts(STATEMENT_TIMEOUT),
    application_name: 'parley writer',
    // The batch statement finds everything by key. One plan for ever, without scans and hashes: a plan made while
    // the tables were small must not scan them once they are large, and planning takes longer than a small batch.
    options:
      '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off',
  });

  const closed = new AbortController();
  return {
    ...queriesOn(sequelize),
    sequelize,
    reads: queriesOn(reading),
    writer,
    async dedicated() {
      const { connectionTimeoutMillis, idle_in_transaction_session_timeout, keepAlive } =
        timeouts(STATEMENT_TIMEOUT);
      const client = new pg.Client({
        ...{ connectionString: url, application_name: 'parley migration' },
        ...{ connectionTimeoutMillis, idle_in_transaction_session_timeout, keepAlive },
      });
      client.on('error', () => {}); // a connection that is cut fails its query
      await client.connect();
      return client;
    },
    transaction: (work, committed = () => {}) =>
      repeatable(() => runTransaction(sequelize, work, committed, closed.signal)),
    async close() {
      closed.abort();
      await Promise.all([sequelize.close(), reading.close(), writer.close()]);
    },
  };
}

const timeouts = (statement: number) => ({
  statement_timeout: statement,
  // later, so that the server cancels and says so, and no statement runs on
  query_timeout: statement + SILENCE,
  connectionTimeoutMillis: CONNECT_TIMEOUT,
  // a frozen node must not keep what it locked
  idle_in_transaction_session_timeout: statement,
  keepAlive: true,
});

function openPool(url: string, size: number, dialectOptions: object): Sequelize {
  return new Sequelize(url, {
    dialect: 'postgres',
    logging: false,
    repositoryMode: true,
    models: [User, Chat, ChatMember, Message, Block, Ban, Invite, Reaction, Pin, MessageEdit, Report],
    define: { underscored: true, timestamps: false },
    pool: { max: size, min: 0, acquire: CONNECT_TIMEOUT },
    dialectOptions,
  });
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
    select<Row extends object>(sql: string, bind: readonly unknown[], transaction?: Transaction) {
      const run = () =>
        sequelize.query<Row>(sql, {
          bind: [...bind],
          type: QueryTypes.SELECT,
          transaction: transaction ?? null,
        });
      return transaction ? run() : repeatable(run);
    },
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
