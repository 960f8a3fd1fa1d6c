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

/** Milliseconds after which a statement, or the wait for a connection, gives up. */
const STATEMENT_TIMEOUT = 15_000;
const CONNECT_TIMEOUT = 5_000;

/** The database: the models for everyday queries, and the one connection that writes messages. */
export interface Database {
  readonly sequelize: Sequelize;
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
  /** One reserved connection: a busy pool never holds up the send path. */
  readonly writer: ReservedConnection;
  /** The rows of a statement with its parameters bound as $1, $2, …. */
  select<Row extends object>(
    sql: string,
    bind: readonly unknown[],
    transaction?: Transaction,
  ): Promise<Row[]>;
  /**
   * Runs `work` in a transaction; rolled back when it throws, and run again where only another one was in its way.
   * `committed` is called once when it was committed: before this resolves, or later where the database was lost before
   * it answered and this rejects.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, committed?: (result: T) => void): Promise<T>;
  /** Connections of the pool: in use, at rest, and queries that wait for one. */
  poolUse(): { used: number; free: number; waiting: number };
  close(): Promise<void>;
}

/** Opens the database. Connections are made on first use, and again after they were lost. */
export function openDatabase(url: string, poolSize: number): Database {
  // Ids are bigint in PostgreSQL and stay below 2^53: numbers, not strings.
  pg.defaults.parseInt8 = true;

  const timeouts = {
    statement_timeout: STATEMENT_TIMEOUT,
    query_timeout: STATEMENT_TIMEOUT,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    // a frozen node must not keep what it locked
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT,
    keepAlive: true,
  };
  const sequelize = new Sequelize(url, {
    dialect: 'postgres',
    logging: false,
    repositoryMode: true,
    models: [User, Chat, ChatMember, Message, Block, Ban, Invite, Reaction, Pin, MessageEdit, Report],
    define: { underscored: true, timestamps: false },
    pool: { max: poolSize, min: 0, acquire: CONNECT_TIMEOUT },
    dialectOptions: { ...timeouts, application_name: 'parley' },
  });

  const writer = reserveConnection({
    connectionString: url,
    ...timeouts,
    application_name: 'parley writer',
    // The batch statement finds everything by key. One plan for ever, without scans and hashes: a plan made while
    // the tables were small must not scan them once they are large, and planning takes longer than a small batch.
    options:
      '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off',
  });

  const closed = new AbortController();
  return {
    sequelize,
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
    writer,
    select<Row extends object>(sql: string, bind: readonly unknown[], transaction?: Transaction) {
      const run = () =>
        sequelize.query<Row>(sql, {
          bind: [...bind],
          type: QueryTypes.SELECT,
          transaction: transaction ?? null,
        });
      return transaction ? run() : repeatable(run);
    },
    transaction: (work, committed = () => {}) =>
      repeatable(() => runTransaction(sequelize, work, committed, closed.signal)),
    poolUse() {
      const { using, available, waiting } = (sequelize.connectionManager as unknown as { pool: Pool }).pool;
      return { used: using, free: available, waiting };
    },
    async close() {
      closed.abort();
      await Promise.all([sequelize.close(), writer.close()]);
    },
  };
}

/** What sequelize-pool counts, and the types of Sequelize do not show. */
interface Pool {
  readonly using: number;
  readonly available: number;
  readonly waiting: number;
}
