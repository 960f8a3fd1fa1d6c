import pg, { type ClientConfig, type QueryConfig, type QueryResult } from 'pg';
import { ConnectionLostError, endsConnection, NotConnectedError } from './failures.ts';
import type { OutageLog } from './outages.ts';
import { StatementWatch } from './StatementWatch.ts';
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
export function createSessionClass(options: SessionOptions): new (types?: ClientConfig) => pg.Client {
  const shared = sharedBy(options);
  return class extends Session {
    constructor(types: ClientConfig = {}) {
      super(shared, types);
    }
  };
}

/** Properties that all connections of a class have in common. */
interface Shared {
  readonly config: ClientConfig;
  readonly outages: OutageLog;
  readonly settings: Settings;
  readonly begin: QueryConfig;
  /** Milliseconds after which the connection of an unanswered statement is closed; undefined for never. */
  readonly timeout: number | undefined;
}

function sharedBy({
  config,
  outages,
  statementTimeout,
  isReadOnly = false,
  ...options
}: SessionOptions): Shared {
  const settings = { ...REQUIRED_SETTINGS, statement_timeout: String(statementTimeout), ...options.settings };
  return {
    config,
    outages,
    settings: { ...settings, ...(isReadOnly && { default_transaction_read_only: 'on' }) },
    begin: {
      text: `begin isolation level read committed ${isReadOnly ? 'read only' : ''};${applySettings(settings, 'true')}`,
    },
    timeout: statementTimeout > 0 ? statementTimeout + GRACE : undefined,
  };
}

class Session extends pg.Client {
  /** The id of the server process from the startup of the connection; missing in the types of pg. */
  declare readonly processID: number;
  #isPooled = false;
  #inTransaction = false;
  readonly #shared: Shared;
  readonly #watch: StatementWatch | undefined;

  /** Of the configuration passed by Sequelize, only the parsers of types are used. */
  constructor(shared: Shared, { types }: ClientConfig) {
    super({ ...shared.config, types });
    this.#shared = shared;
    if (shared.timeout !== undefined)
      this.#watch = new StatementWatch(shared.timeout, () =>
        this.connection.stream.destroy(new Error('the database does not answer')),
      );
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
      const { rows } = await this.#send({ text: applySettings(this.#shared.settings, isPooled) });
      this.#isPooled = rows[0].is_local;
      if (this.#isPooled) Object.assign(this, { pipeline: true });
      return this;
    } catch (error) {
      this.#shared.outages.failed(error, start);
      this.end().catch(() => {});
      throw new NotConnectedError(error);
    }
  }

  #query(query: Statement): Promise<QueryResult> {
    if (!this.#isPooled) return this.#send(query);
    const { name: _, ...unnamed } = query;
    if (BEGINS.test(query.text)) {
      this.#inTransaction = true;
      return this.#send(this.#shared.begin);
    }
    if (ENDS.test(query.text)) this.#inTransaction = false;
    else if (!this.#inTransaction && !query.outsideTransaction) return this.#sendAsTransaction(unnamed);
    return this.#send(unnamed);
  }

  async #sendAsTransaction(query: Statement): Promise<QueryResult> {
    const [, result] = await Promise.all(
      [this.#shared.begin, query, { text: 'commit' }].map((part) => this.#send(part)),
    );
    return result as QueryResult;
  }

  async #send(query: Statement): Promise<QueryResult> {
    const start = performance.now();
    this.#watch?.sent(start);
    try {
      const result = await (query.asText ? runAsText((one) => super.query(one), query) : super.query(query));
      this.#shared.outages.succeeded();
      return result;
    } catch (error) {
      throw this.#failed(error, start);
    } finally {
      this.#watch?.answered();
    }
  }

  /** Notes an outage, if an error is one, and returns the error that a statement rejects with. */
  #failed(error: unknown, start: number): unknown {
    const isAnswer = error instanceof pg.DatabaseError;
    const { writable } = this.connection.stream;
    if (isAnswer ? endsConnection(error) : !writable) this.#shared.outages.failed(error, start);
    return isAnswer || writable ? error : new ConnectionLostError(error);
  }
}

function settle(promise: Promise<unknown>, callback: Callback | undefined): never {
  if (!callback) return promise as never;
  const succeed = (value: unknown) => callback(null as never, value as never);
  promise.then(succeed, callback as (error: unknown) => void);
  return undefined as never;
}
