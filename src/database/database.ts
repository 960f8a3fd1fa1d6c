import 'reflect-metadata';
import pg from 'pg';
import type { Transaction } from 'sequelize';
import { type Repository, Sequelize } from 'sequelize-typescript';
import { Chat } from './models/Chat.ts';
import { ChatMember } from './models/ChatMember.ts';
import { Message } from './models/Message.ts';
import { User } from './models/User.ts';
import { type ReservedConnection, reserveConnection } from './reserved.ts';

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
  /** One reserved connection: a busy pool never holds up the send path. */
  readonly writer: ReservedConnection;
  /** Runs `work` in a transaction; rolled back when it throws. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
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
    keepAlive: true,
  };
  const sequelize = new Sequelize(url, {
    dialect: 'postgres',
    logging: false,
    repositoryMode: true,
    models: [User, Chat, ChatMember, Message],
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

  return {
    sequelize,
    users: sequelize.getRepository(User),
    chats: sequelize.getRepository(Chat),
    members: sequelize.getRepository(ChatMember),
    messages: sequelize.getRepository(Message),
    writer,
    transaction: (work) => sequelize.transaction(work),
    poolUse() {
      const { using, available, waiting } = (sequelize.connectionManager as unknown as { pool: Pool }).pool;
      return { used: using, free: available, waiting };
    },
    async close() {
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
