import pg, { type ClientConfig, type QueryConfig, type QueryResult } from 'pg';
import { ConnectionLostError, endsConnection, NotConnectedError } from './failures.ts';
import type { OutageLog } from './outages.ts';
import { applySettings, REQUIRED_SETTINGS, type Settings } from './settings.ts';
import { runAsText, type Statement } from './TextQuery.ts';

/**
 * Milliseconds after the statement timeout at which the connection is closed if the server has not cancelled the
 * statement.
 */
const GRACE = 2_000;

export interface SessionOptions {
  /** Address of the database and name of the connection; no settings, which a pooler would refuse. */
  readonly config: ClientConfig;
  /** Milliseconds after which the server cancels a statement; 0 for never. */
  readonly statementTimeout: number;
  /** Settings in addition to those of all connections. */
  readonly settings?: Settings;
  /** True if the connections are read-only. */
  readonly isReadOnly?: boolean;
  readonly outages: OutageLog;
}

/** Any callback of the methods of pg. */
type Callback = (error: never, result: never) => void;

const BEGINS = /^\s*(begin|start\s+transaction)\b/i;
const ENDS = /^\s*(commit|rollback(?!\s+to\b))\b/i;

/**
 * Creates a class of connections with the settings that the code requires. They are made with a statement and not with
 * startup parameters, most of which PgBouncer refuses.
 *
 * Behind a pooler, the next statement may run on another server connection, and other clients would see prepared
 * statements and settings. So each transaction makes the settings for itself, statements outside of a transaction get
 * one of their own, and none is prepared under a name. Such a statement is sent together with its BEGIN and COMMIT.
 *
 * A statement rejects with a {@link NotConnectedError} or a {@link ConnectionLostError} if the connection fails or
 * breaks, and with a `DatabaseError` of pg if the server refuses it.
 */
export function createSessionClass(options: SessionOptions): new (ignored?: ClientConfig) => pg.Client {
  const { config, statementTimeout, isReadOnly = false, outages } = options;
  const settings = { ...REQUIRED_SETTINGS, statement_timeout: String(statementTimeout), ...options.settings };
  const begin: QueryConfig = {
    text: `begin isolation level read committed ${isReadOnly ? 'read only' : ''};${applySettings(settings, 'true')}`,
  };
  const timeout = statementTimeout + GRACE;
  const connectionSettings = { ...settings, ...(isReadOnly && { default_transaction_read_only: 'on' }) };

  return class Session extends pg.Client {
    /** The id of the server process from the startup of the connection; missing in the types of pg. */
    declare readonly processID: number;
    #isPooled = false;
    #inTransaction = false;
    /** Start times of the unanswered statements, oldest first. */
    readonly #waiting: number[] = [];
    #watch: NodeJS.Timeout | undefined;

    /** Of the configuration passed by Sequelize, only the parsers of types are used. */
    constructor({ types }: ClientConfig = {}) {
      super({ ...config, types });
      this.on('error', () => {}); // a lost connection rejects its query
    }

    /* Both methods have the overloads of those of pg; `never` is compatible with all of them. */

    override connect(callback?: Callback): never {
      return settle(this.#connect(), callback);
    }

    override query(first: string | Statement, ...rest: unknown[]): never {
      const values = rest.find(Array.isArray);
      const query = { ...(typeof first === 'string' ? { text: first } : first), ...(values && { values }) };
      const callback = rest.find((one) => typeof one === 'function');
      return settle(this.#query(query), callback as Callback | undefined);
    }

    async #connect(): Promise<this> {
      const start = performance.now();
      try {
        await super.connect();
        // A pooler reports process ids of its own. Its settings end with the statement.
        const isPooled = `pg_backend_pid() <> ${this.processID}`;
        const { rows } = await this.#send({ text: applySettings(connectionSettings, isPooled) });
        this.#isPooled = rows[0].is_local;
        if (this.#isPooled) Object.assign(this, { pipeline: true });
        return this;
      } catch (error) {
        outages.failed(error, start);
        this.end().catch(() => {});
        throw new NotConnectedError(error);
      }
    }

    #query(query: Statement): Promise<QueryResult> {
      if (!this.#isPooled) return this.#send(query);
      const { name: _, ...unnamed } = query;
      if (BEGINS.test(query.text)) {
        this.#inTransaction = true;
        return this.#send(begin);
      }
      if (ENDS.test(query.text)) this.#inTransaction = false;
      else if (!this.#inTransaction && !query.outsideTransaction) return this.#sendAsTransaction(unnamed);
      return this.#send(unnamed);
    }

    async #sendAsTransaction(query: Statement): Promise<QueryResult> {
      const [, result] = await Promise.all(
        [begin, query, { text: 'commit' }].map((part) => this.#send(part)),
      );
      return result as QueryResult;
    }

    async #send(query: Statement): Promise<QueryResult> {
      const start = performance.now();
      const { stream } = this.connection;
      if (statementTimeout > 0) {
        this.#waiting.push(start);
        this.#watch ??= this.#watchFor(timeout);
      }
      try {
        const result = await (query.asText
          ? runAsText((one) => super.query(one), query)
          : super.query(query));
        outages.succeeded();
        return result;
      } catch (error) {
        if (error instanceof pg.DatabaseError ? endsConnection(error) : !stream.writable)
          outages.failed(error, start);
        if (error instanceof pg.DatabaseError || stream.writable) throw error;
        throw new ConnectionLostError(error);
      } finally {
        this.#waiting.shift(); // answers arrive in the order of the statements
      }
    }

    /**
     * Closes the connection if its oldest statement is late. One timer serves all, because most take less than a
     * millisecond.
     */
    #watchFor(milliseconds: number): NodeJS.Timeout {
      return setTimeout(() => {
        this.#watch = undefined;
        const [oldest] = this.#waiting;
        if (oldest === undefined) return;
        const left = oldest + timeout - performance.now();
        if (left > 0) this.#watch = this.#watchFor(left);
        else this.connection.stream.destroy(new Error('the database does not answer'));
      }, milliseconds).unref();
    }
  };
}

function settle(promise: Promise<unknown>, callback: Callback | undefined): never {
  if (!callback) return promise as never;
  const succeed = (value: unknown) => callback(null as never, value as never);
  promise.then(succeed, callback as (error: unknown) => void);
  return undefined as never;
}
