import pg, { type ClientConfig, type QueryConfig, type QueryResultRow } from 'pg';
import { isRepeatable } from './failures.ts';

/** A connection that only its owner uses, made on first use and again after it was lost. */
export interface ReservedConnection {
  /**
   * Runs a query and resolves to its rows. On an open connection it is on its way when this returns; queries
   * follow each other in the order of the calls. Rejects with a {@link NotConnectedError} when it was not sent.
   */
  query<Row extends QueryResultRow>(query: QueryConfig): Promise<Row[]>;
  close(): Promise<void>;
}

/** The connection could not be made: the query was not sent. */
export class NotConnectedError extends Error {
  readonly original: unknown;

  constructor(original: unknown) {
    super('The database cannot be connected to', { cause: original });
    this.original = original;
  }
}

export function reserveConnection(config: ClientConfig): ReservedConnection {
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client(config);
    // A connection that is cut fails its query; one cut at rest must not end the process either.
    fresh.on('error', () => forget(fresh));
    try {
      await fresh.connect();
      client = fresh;
      return fresh;
    } catch (error) {
      throw new NotConnectedError(error);
    } finally {
      connecting = undefined;
    }
  }

  /** After a failure of any but a few kinds: what state the connection is in is not worth finding out. */
  function forget(failed: pg.Client): void {
    if (client === failed) client = undefined;
    failed.end().catch(() => {});
  }

  async function run<Row extends QueryResultRow>(on: pg.Client, query: QueryConfig): Promise<Row[]> {
    try {
      return (await on.query<Row>(query)).rows;
    } catch (error) {
      if (!isRepeatable(error)) forget(on); // what another transaction was in the way of leaves the connection as it was
      throw error;
    }
  }

  return {
    query(query) {
      if (client) return run(client, query);
      connecting ??= connect();
      return connecting.then((fresh) => run(fresh, query));
    },
    async close() {
      await client?.end();
    },
  };
}
