import pg, { type Connection, type QueryConfig, type QueryResult } from 'pg';

/** A statement; it is prepared if it has a name. */
export interface Statement extends QueryConfig {
  /**
   * True to receive rows as arrays of text or null, as PostgreSQL sends them: without a description of the columns per
   * run and without objects. Parameters are numbers, strings and nulls; undefined is null, as in all statements.
   */
  readonly asText?: boolean;
  /** True for a statement that PostgreSQL refuses in a transaction. It runs without one behind a pooler as well. */
  readonly outsideTransaction?: boolean;
}

type Value = string | number | null | undefined;

/** The methods of a query that pg calls, and its fields; both are missing in the types of pg. */
declare class PgQuery extends pg.Query {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly Value[] | undefined;
  readonly callback: (error: Error | null, result?: unknown) => void;
  hasBeenParsed(connection: Connection): boolean;
  prepare(connection: Connection): void;
  handleDataRow(message: { readonly fields: (string | null)[] }): void;
  handleCommandComplete(): void;
  handleReadyForQuery(): void;
}

/** The methods of a connection that send messages, and its prepared statements; also missing in the types of pg. */
interface Sender {
  readonly submittedNamedStatements: Record<string, string>;
  parse(message: { readonly text: string; readonly name: string | undefined }): void;
  bind(message: {
    readonly statement: string | undefined;
    readonly values: PgQuery['values'];
    readonly valueMapper: (value: Value) => string | null;
  }): void;
  execute(message: object): void;
  sync(): void;
}

/** A query with {@link Statement.asText}. */
class TextQuery extends (pg.Query as typeof PgQuery) {
  readonly #rows: (string | null)[][] = [];

  override prepare(connection: Connection): void {
    const { name, text, values } = this;
    const sender = connection as unknown as Sender;
    if (!this.hasBeenParsed(connection)) {
      sender.parse({ text, name });
      if (name) sender.submittedNamedStatements[name] = text;
    }
    sender.bind({ statement: name, values, valueMapper: (value) => (value == null ? null : String(value)) });
    sender.execute({});
    sender.sync();
  }

  override handleDataRow({ fields }: { readonly fields: (string | null)[] }): void {
    this.#rows.push(fields);
  }

  override handleCommandComplete(): void {}

  override handleReadyForQuery(): void {
    this.callback(null, { rows: this.#rows });
  }
}

/** Runs a statement with {@link Statement.asText} on a client of pg. */
export function runAsText(submit: (query: pg.Query) => void, statement: Statement): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    const answer = (error: Error | undefined, result: unknown) =>
      error ? reject(error) : resolve(result as QueryResult);
    submit(new TextQuery(statement, answer));
  });
}
