import type { Client, QueryConfig } from 'pg';
import type { Transaction } from 'sequelize';
import type { Sequelize } from 'sequelize-typescript';
import { isOfAnotherSchema, repeatable } from './failures.ts';

/** A statement that each connection for reads prepares once, under its name. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/**
 * Declares a statement to be prepared: it is parsed and planned once for each connection, which takes PostgreSQL
 * several times as long as to read a page of messages. After five runs the plan is the same for all values, and it is
 * kept while tables grow. So it must find rows by nothing but keys, with estimates that do not depend on the values: no
 * range between two parameters, no `limit $1`, and scalar subqueries instead of joins and `exists`, which may become
 * hashes of whole tables.
 */
export function prepared(name: string, text: string): PreparedStatement {
  return { name, text };
}

/**
 * Runs a statement on a connection of the pool, or of the transaction, and resolves to its rows. Not through
 * Sequelize, which would copy the text and each row. It is run again where only another transaction was in its way.
 */
export async function selectRows<Row extends object>(
  sequelize: Sequelize,
  statement: string | PreparedStatement,
  bind: readonly unknown[],
  transaction?: Transaction,
): Promise<Row[]> {
  const values = [...bind];
  const unprepared = { text: typeof statement === 'string' ? statement : statement.text, values };
  if (transaction) return rowsOf(connectionOf(transaction), unprepared);
  const query = typeof statement === 'string' ? unprepared : { ...statement, values };
  return repeatable(() => selectOnce<Row>(sequelize, query));
}

async function selectOnce<Row extends object>(sequelize: Sequelize, query: QueryConfig): Promise<Row[]> {
  const connections = sequelize.connectionManager;
  const connection = (await connections.getConnection({ type: 'read' })) as Client;
  try {
    return await rowsOf<Row>(connection, query);
  } catch (error) {
    if (!isOfAnotherSchema(error)) throw error;
    // What is prepared there was so before a migration: the connection answers this, and is used no more.
    const unprepared = rowsOf<Row>(connection, { text: query.text, values: query.values ?? [] });
    return await unprepared.finally(() => connection.end().catch(() => {}));
  } finally {
    connections.releaseConnection(connection);
  }
}

async function rowsOf<Row extends object>(connection: Client, query: QueryConfig): Promise<Row[]> {
  return (await connection.query<Row>(query)).rows;
}

/** Not in the types of Sequelize. */
const connectionOf = (transaction: Transaction): Client =>
  (transaction as unknown as { connection: Client }).connection;
