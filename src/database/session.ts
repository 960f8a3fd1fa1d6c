import pg, { type ClientConfig, type QueryConfig, type QueryResult } from 'pg';
import { ConnectionLostError, endsConnection, NotConnectedError } from './failures.ts';
import type { OutageLog } from './outages.ts';
import { applySettings, RELIED_ON, type Settings } from './settings.ts';
import { runAsText, type Statement } from './TextQuery.ts';

/** Milliseconds after which a statement that the server should have cancelled is given up, and the connection with it. */
const SILENCE = 2_000;

export interface SessionOptions {
  /** Where the database is, and the name of the connection there; no settings, which a pooler would refuse. */
  readonly config: ClientConfig;
  /** Milliseconds after which the server cancels a statement; 0: never. */
  readonly statementTimeout: number;
  /** Beside those that all connections have. */
  readonly settings?: Settings;
  /** True if it refuses to write. */
  readonly isReadOnly?: boolean;
  readonly outages: OutageLog;
}

/** Any of those that the methods of pg take. */
type Callback = (error: never, result: never) => void;

const BEGINS = /^\s*(begin|start\s+transaction)\b/i;
const ENDS = /^\s*(commit|rollback(?!\s+to\b))\b/i;

/**
 * A class of connections on which the settings hold that the code relies on. They are made with a statement and not
 * with startup parameters, most of which PgBouncer refuses.
 *
 * Behind a pooler, the next statement may run on another connection of the database, and one that is prepared or a
 * setting made there would be met by somebody else. So each transaction makes the settings for itself, statements
 * outside of transactions get one of their own, and none is prepared under a name. Such a statement and what is around
 * it are sent in one go.
 *
 * What the server does not answer, because the connection cannot be made or breaks, rejects with a
 * {@link NotConnectedError} or a {@link ConnectionLostError}; what it refuses, with a `DatabaseError` of pg.
 */
export function createSessionClass(options: SessionOptions): new (given?: ClientConfig) => pg.Client {
  const { config, statementTimeout, isReadOnly = false, outages } = options;
  const settings = { ...RELIED_ON, statement_timeout: String(statementTimeout), ...options.settings };
  const begin: QueryConfig = {
    text: `begin isolation level read committed ${isReadOnly ? 'read only' : ''};${applySettings(settings, 'true')}`,
  };
  const patience = statementTimeout + SILENCE;
  const connectionSettings = { ...settings, ...(isReadOnly && { default_transaction_read_only: 'on' }) };

  return class Session extends pg.Client {
    /** Of the server process, as the other side said when it was connected; not in the types of pg. */
    declare readonly processID: number;
    #isPooled = false;
    #inTransaction = false;
    /** When what is not answered yet was sent, oldest first. */
    readonly #waiting: number[] = [];
    #watch: NodeJS.Timeout | undefined;

    /** Of what is given, as by Sequelize, only the parsers of types count. */
    constructor({ types }: ClientConfig = {}) {
      super({ ...config, types });
      this.on('error', () => {}); // a connection that is cut fails its query
    }

    /* Both methods take and return what those of pg do, in all their forms: `never` fits any of them. */

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
        // A pooler gives out process ids of its own. What is set there is gone with the end of the statement.
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
      else if (!this.#inTransaction && !query.isAlone) return this.#sendAsTransaction(unnamed);
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
        this.#watch ??= this.#watchFor(patience);
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
        this.#waiting.shift(); // answers come in the order of the statements
      }
    }

    /** Gives the connection up if its oldest statement is late; one timer for all, for most take less than a millisecond. */
    #watchFor(milliseconds: number): NodeJS.Timeout {
      return setTimeout(() => {
        this.#watch = undefined;
        const [oldest] = this.#waiting;
        if (oldest === undefined) return;
        const left = oldest + patience - performance.now();
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
