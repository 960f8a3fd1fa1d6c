import type { Client, QueryConfig } from 'pg';
import type { Transaction } from 'sequelize';
import type { Sequelize } from 'sequelize-typescript';
import { isOfAnotherSchema, repeatable } from './failures.ts';

/** A statement that each connection prepares once, under its name. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/**
 * Declares a prepared statement: it is parsed and planned once per connection, which takes PostgreSQL several times as
 * long as reading a page of messages. After five runs the plan is generic and stays the same while tables grow. So the
 * statement must find rows by keys only. A range between two parameters, and `limit $1`, are estimated as a share of the
 * table: use them only along an index that has the rows in their order. Joins and `exists` may become hashes of whole
 * tables: use scalar subqueries, and laterals with `limit 1`, instead.
 */
export function prepared(name: string, text: string): PreparedStatement {
  return { name, text };
}

/**
 * Runs a statement on a connection of the pool, or of the transaction, and resolves to its rows. It bypasses Sequelize,
 * which would copy the text and each row. After a conflict with another transaction it is repeated.
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
    // The statements of this connection were prepared before a migration: it runs this one unprepared and is then
    // closed.
    const unprepared = rowsOf<Row>(connection, { text: query.text, values: query.values ?? [] });
    return await unprepared.finally(() => connection.end().catch(() => {}));
  } finally {
    connections.releaseConnection(connection);
  }
}

async function rowsOf<Row extends object>(connection: Client, query: QueryConfig): Promise<Row[]> {
  return (await connection.query<Row>(query)).rows;
}

/** Returns the connection of a transaction, which is missing in the types of Sequelize. */
const connectionOf = (transaction: Transaction): Client =>
  (transaction as unknown as { connection: Client }).connection;
