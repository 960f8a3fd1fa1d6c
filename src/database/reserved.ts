import type { Client, QueryResultRow } from 'pg';
import { isOfAnotherSchema, isRepeatable } from './failures.ts';
import type { Statement } from './TextQuery.ts';

/** A connection for a single owner, opened on first use and again after it was lost. */
export interface ReservedConnection {
  /**
   * Runs a query and resolves to its rows. On an open connection it has been sent when this returns; queries run in the
   * order of the calls. Rejects with a `NotConnectedError` if it was not sent.
   */
  query<Row extends QueryResultRow>(query: Statement): Promise<Row[]>;
  close(): Promise<void>;
}

/** Reserves a connection of a class that `createSessionClass` returned. */
export function reserveConnection(Session: new () => Client): ReservedConnection {
  let client: Client | undefined;
  let connecting: Promise<Client> | undefined;

  async function connect(): Promise<Client> {
    const fresh = new Session();
    // A lost connection rejects its query; without this listener, one lost while idle would end the process.
    fresh.on('error', () => discard(fresh));
    try {
      await fresh.connect();
      client = fresh;
      return fresh;
    } finally {
      connecting = undefined;
    }
  }

  /** Discards a connection after a failure that may have left it in an unknown state. */
  function discard(failed: Client): void {
    if (client === failed) client = undefined;
    failed.end().catch(() => {});
  }

  async function run<Row extends QueryResultRow>(on: Client, query: Statement): Promise<Row[]> {
    try {
      return (await on.query<Row>(query)).rows;
    } catch (error) {
      if (!isRepeatable(error)) discard(on); // a conflict leaves the connection intact
      throw error;
    }
  }

  async function runOnNewConnection<Row extends QueryResultRow>(query: Statement): Promise<Row[]> {
    connecting ??= connect();
    return run(await connecting, query);
  }

  return {
    query<Row extends QueryResultRow>(query: Statement) {
      if (!client) return runOnNewConnection<Row>(query);
      return run<Row>(client, query).catch((error) => {
        if (isOfAnotherSchema(error)) return runOnNewConnection<Row>(query);
        throw error;
      });
    },
    async close() {
      await client?.end();
    },
  };
}
