import type { Client, QueryResultRow } from 'pg';
import { isOfAnotherSchema, isRepeatable } from './failures.ts';
import type { Statement } from './TextQuery.ts';

/** A connection that only its owner uses, made on first use and again after it was lost. */
export interface ReservedConnection {
  /**
   * Runs a query and resolves to its rows. On an open connection it is on its way when this returns; queries
   * follow each other in the order of the calls. Rejects with a `NotConnectedError` when it was not sent.
   */
  query<Row extends QueryResultRow>(query: Statement): Promise<Row[]>;
  close(): Promise<void>;
}

/** Reserves a connection of a class that `createSessionClass` has made. */
export function reserveConnection(Session: new () => Client): ReservedConnection {
  let client: Client | undefined;
  let connecting: Promise<Client> | undefined;

  async function connect(): Promise<Client> {
    const fresh = new Session();
    // A connection that is cut fails its query; one cut at rest must not end the process either.
    fresh.on('error', () => discard(fresh));
    try {
      await fresh.connect();
      client = fresh;
      return fresh;
    } finally {
      connecting = undefined;
    }
  }

  /** After a failure of any but a few kinds: what state the connection is in is not worth finding out. */
  function discard(failed: Client): void {
    if (client === failed) client = undefined;
    failed.end().catch(() => {});
  }

  async function run<Row extends QueryResultRow>(on: Client, query: Statement): Promise<Row[]> {
    try {
      return (await on.query<Row>(query)).rows;
    } catch (error) {
      if (!isRepeatable(error)) discard(on); // what another transaction was in the way of leaves the connection as it was
      throw error;
    }
  }

  async function runAnew<Row extends QueryResultRow>(query: Statement): Promise<Row[]> {
    connecting ??= connect();
    return run(await connecting, query);
  }

  return {
    query<Row extends QueryResultRow>(query: Statement) {
      if (!client) return runAnew<Row>(query);
      return run<Row>(client, query).catch((error) => {
        if (isOfAnotherSchema(error)) return runAnew<Row>(query);
        throw error;
      });
    },
    async close() {
      await client?.end();
    },
  };
}
